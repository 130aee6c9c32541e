"""Routes of one order, the review inbox and the mails."""

from django.urls import URLPattern, path

from orders.urls_mail import mail_routes
from orders.views import adjust, cancel, channel_changes, edit, gift, inbox, lines, member, options, order, promises

order_routes: list[URLPattern] = [
    path("<int:pk>/", order.order_detail, name="detail"),
    path("<int:pk>/live/", order.order_live, name="detail-live"),
    path("<int:pk>/accept/", order.order_accept, name="accept"),
    path("<int:pk>/hold/", order.order_hold, name="hold"),
    path("<int:pk>/lift/", order.order_lift, name="lift"),
    path("<int:pk>/take-back/", order.order_take_back, name="take-back"),
    path("<int:pk>/confirm/", order.order_confirm, name="confirm"),
    path("<int:pk>/pay/", order.order_pay, name="pay"),
    path("<int:pk>/adjust/", adjust.order_adjust, name="adjust"),
    path("<int:pk>/cancel/", cancel.order_cancel, name="cancel"),
    path("<int:pk>/cancel/decline/", cancel.order_decline_cancel, name="decline-cancel"),
    path("<int:pk>/channel-changes/", channel_changes.compare, name="channel-changes"),
    path("<int:pk>/channel-changes/decide/", channel_changes.decide, name="channel-changes-decide"),
    path("<int:pk>/lines/", lines.order_lines, name="lines"),
    path("<int:pk>/options/", options.order_options, name="options"),
    path("<int:pk>/lines/<int:line>/apart/", lines.line_apart, name="take-apart"),
    path("<int:pk>/apart/<int:taking>/undo/", lines.line_whole, name="put-together"),
    path("<int:pk>/buyer/edit/", edit.edit_buyer, name="edit-buyer"),
    path("<int:pk>/recipients/<int:position>/edit/", edit.edit_recipient, name="edit-recipient"),
    path("<int:pk>/recipients/<int:position>/gift/", gift.edit_gift, name="edit-gift"),
    path("<int:pk>/delivery/edit/", edit.edit_delivery, name="edit-delivery"),
    path("<int:pk>/texts/edit/", edit.edit_texts, name="edit-texts"),
    path("<int:pk>/note/edit/", edit.edit_note, name="edit-note"),
    path("<int:pk>/promise/", promises.promise_done, name="promise-done"),
    path("<int:pk>/promises/", promises.promise_new, name="promise-new"),
    path("<int:pk>/promises/<int:note>/", promises.promise_tick, name="promise-tick"),
    path("inbox/", inbox.inbox, name="inbox"),
    path("inbox/accept/", inbox.inbox_accept, name="inbox-accept"),
    path("inbox/choose/", inbox.inbox_choose, name="inbox-choose"),
    path("inbox/act/", inbox.inbox_act, name="inbox-act"),
    path("inbox/hold/", inbox.inbox_hold, name="inbox-hold"),
    path("inbox/undo/", inbox.inbox_undo, name="inbox-undo"),
    path("member/<int:pk>/panel/", member.member_panel, name="member-panel"),
    *mail_routes,
]
