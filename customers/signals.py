"""What members tell the floors above."""

from django.dispatch import Signal

# Somebody decided about a pair of members (`member_ids`), sent inside the transaction: what hung on the doubt may be
# looked at again.
pair_decided = Signal()

# A person saw a member's personal data: `member_id`, and `by`, a User.
member_shown = Signal()
