from django.apps import AppConfig


class FulfillmentConfig(AppConfig):
    name = "fulfillment"
    label = "fulfillment"

    def ready(self) -> None:
        from django.utils.translation import gettext_lazy as _

        from fulfillment import (  # noqa: F401
            actions,
            parcel_actions,
            place_actions,
            receivers,
            rules,
            setting_kinds,
            ship_actions,
            shortage_actions,
            split_actions,
        )
        from fulfillment.queries import desk_columns as merged
        from fulfillment.queries import desk_filters, profit
        from fulfillment.services import merge, merge_card, redirect
        from oms.kernel.services import outbox
        from orders import filter_facts, filter_ranges
        from orders.actions import Door, register, register_door
        from orders.queries import desk_columns

        outbox.register("merge_broken", merge.mend, label=_("同梱の組み直し"))
        outbox.register(redirect.PULL_BACK, redirect.pull_back, label=_("作業前の出荷伝票の引き戻し"))
        for action in actions.ACTIONS:
            register(action)
        for action in (
            *ship_actions.ACTIONS,
            *place_actions.ACTIONS,
            *parcel_actions.ACTIONS,
            *shortage_actions.ACTIONS,
            *split_actions.ACTIONS,
        ):
            register(action)
        register_door(
            Door(_("送り状データ出力"), "fulfillment:waybill-choose-orders", "fulfillment.export_waybill")
        )  # fmt: skip
        for column in (*merged.COLUMNS, profit.COLUMN):
            desk_columns.register(column)
        for code, label, condition in desk_filters.FACTS:
            filter_facts.offer(code, label, condition)
        for name, asked in desk_filters.CONDITIONS.items():
            filter_ranges.supply(name, asked)
        rules.register()
        merge_card.register()
        setting_kinds.register_kinds()
