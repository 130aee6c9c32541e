from fulfillment.models.shipment import Batch, Shipment, ShipmentEvent, ShipmentLine

__all__ = ["Batch", "Shipment", "ShipmentEvent", "ShipmentLine"]
