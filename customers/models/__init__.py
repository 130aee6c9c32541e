from customers.models.blacklist import BlacklistEntry
from customers.models.member import Identity, Member

__all__ = ["BlacklistEntry", "Identity", "Member"]
