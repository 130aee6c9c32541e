"""What orders tell the floors above, sent inside the transaction. Receivers only write rows of their own."""

from django.dispatch import Signal

# Lines whose promises or places ended (`line_ids`): planned shipments must let go of them.
lines_released = Signal()
# Lines of one order that got their places without the allocator (`order_id`, `places`: line → location → pieces).
lines_placed = Signal()
# Orders cancelled (`order_ids`, `by`): instructed shipments must stop.
orders_cancelled = Signal()
# An order shall be stopped (`order_ids`, `line_ids` or None for all of an order, `by`, `note`). The receiver asks the
# locations and returns the set of orders whose location has still to answer.
stop_wanted = Signal()
# Whose goods share parcels under way with those of these orders (`order_ids`): who stops such a parcel needs their
# locks too. The receiver returns the ids of the others.
share_parcels = Signal()
# Pieces were taken off orders (`order_ids`): how far they are has changed though no shipment may have.
lines_cut = Signal()
# Whether another order of the same parcel pays this order's cash fee (`order_id`); a receiver that knows so says True.
fee_shared = Signal()
# Orders that go elsewhere or by another way than they were planned (`order_ids`), before their instruction.
orders_redirected = Signal()
# Orders whose channel told more than was taken while they were under way (`order_ids`): to be fetched again.
refetch_wanted = Signal()
# Orders whose channel changed what their parcels hold or where those go while they are under way (`order_ids`).
orders_told_late = Signal()
# Which of these orders (`order_ids`) have parcels under way. The receiver returns their ids.
parcels_under_way = Signal()
# The address of a recipient (`recipient_id`) is about to change; `former_id` keeps what it was. The receiver leaves
# that to the parcels that went there, and returns how many they are.
address_leaves = Signal()
# A return case (`case_id`, `by`) was withdrawn: its goods do not come back. The sender holds the lock of its order.
return_withdrawn = Signal()
