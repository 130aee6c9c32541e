from oms.kernel.models.effect import Effect
from oms.kernel.models.effect_event import EffectEvent
from oms.kernel.models.user import User

__all__ = ["Effect", "EffectEvent", "User"]
