from fulfillment.models.release import ReleaseTime
from fulfillment.models.shipment import Batch, Shipment, ShipmentEvent, ShipmentLine
from fulfillment.models.stop import StopPolicy, StopRequest

__all__ = ["Batch", "ReleaseTime", "Shipment", "ShipmentEvent", "ShipmentLine", "StopPolicy", "StopRequest"]
