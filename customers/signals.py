"""What members tell upstairs."""

from django.dispatch import Signal

# A person saw a member's personal data: `member_id`, and `by`, a User.
member_shown = Signal()
