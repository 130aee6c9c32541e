from fulfillment.models.release import ReleaseTime
from fulfillment.models.shipment import Batch, Shipment, ShipmentEvent, ShipmentLine

__all__ = ["Batch", "ReleaseTime", "Shipment", "ShipmentEvent", "ShipmentLine"]
