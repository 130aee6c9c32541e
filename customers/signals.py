"""What members tell the floors above."""

from django.dispatch import Signal

# Somebody decided about a pair of members (`member_ids`), sent inside the transaction: what hung on the doubt may be
# looked at again.
pair_decided = Signal()

# The company's own word on members changed (`member_ids`): facts, tags or promises. Sent inside the transaction.
members_changed = Signal()

# Somebody gave members a higher rank by hand (`raised`: member → the rank's name). Sent inside the transaction.
rank_raised = Signal()

# A rank was made or changed: who is a good customer (`is_vip`) may be another question now.
ranks_changed = Signal()

# A person saw a member's personal data: `member_id`, and `by`, a User.
member_shown = Signal()
