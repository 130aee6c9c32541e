from oms.kernel.models.effect import Effect
from oms.kernel.models.effect_event import EffectEvent
from oms.kernel.models.setting_version import SettingVersion
from oms.kernel.models.sign_in import Device, RecoveryCode, SecondStep, SignInEvent, SignInRule, SignInSettings
from oms.kernel.models.store_device import Pin, StoreDevice
from oms.kernel.models.user import User

__all__ = [
    "Device",
    "Effect",
    "EffectEvent",
    "Pin",
    "RecoveryCode",
    "SecondStep",
    "SettingVersion",
    "SignInEvent",
    "SignInRule",
    "SignInSettings",
    "StoreDevice",
    "User",
]
