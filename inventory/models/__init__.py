from inventory.models.balance import Balance, Entry
from inventory.models.by_hand import HandMove
from inventory.models.kit import KitChange, KitPart
from inventory.models.location import Location
from inventory.models.mark import AllocatorMark, PublisherMark, StockWatch, WatcherMark
from inventory.models.picture import SkuPicture
from inventory.models.product import BundleComponent, FormerComponent, Product, Sku, SkuChange

__all__ = [
    "AllocatorMark",
    "Balance",
    "BundleComponent",
    "Entry",
    "FormerComponent",
    "HandMove",
    "KitChange",
    "KitPart",
    "Location",
    "Product",
    "PublisherMark",
    "Sku",
    "SkuChange",
    "SkuPicture",
    "StockWatch",
    "WatcherMark",
]
