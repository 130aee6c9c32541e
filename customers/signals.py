"""What members tell the floors above, sent inside the transaction."""

from django.dispatch import Signal

# Somebody decided about a pair of members (`member_ids`): what hung on the doubt may be looked at again.
pair_decided = Signal()
