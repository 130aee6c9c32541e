from fulfillment.models.cost import CostChange, CostSetting, FreightRate
from fulfillment.models.merge import Merge, MergedOrder, MergeKey, MergePair, ToldTogether
from fulfillment.models.release import ReleaseTime
from fulfillment.models.shipment import Batch, Shipment, ShipmentEvent, ShipmentLine
from fulfillment.models.split import SplitCharge
from fulfillment.models.stop import StopPolicy, StopRequest
from fulfillment.models.waybill import WaybillEvent, WaybillExport, WaybillFile, WaybillSetting

__all__ = [
    "Batch",
    "CostChange",
    "CostSetting",
    "FreightRate",
    "Merge",
    "MergeKey",
    "MergePair",
    "MergedOrder",
    "ReleaseTime",
    "Shipment",
    "ShipmentEvent",
    "ShipmentLine",
    "SplitCharge",
    "StopPolicy",
    "StopRequest",
    "ToldTogether",
    "WaybillEvent",
    "WaybillExport",
    "WaybillFile",
    "WaybillSetting",
]
