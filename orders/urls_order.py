"""Routes of one order, the review inbox and the mails."""

from django.urls import URLPattern, path

from orders.views import cancel, edit, inbox, mail_templates, mails, member, order

order_routes: list[URLPattern] = [
    path("<int:pk>/", order.order_detail, name="detail"),
    path("<int:pk>/live/", order.order_live, name="detail-live"),
    path("<int:pk>/accept/", order.order_accept, name="accept"),
    path("<int:pk>/hold/", order.order_hold, name="hold"),
    path("<int:pk>/lift/", order.order_lift, name="lift"),
    path("<int:pk>/confirm/", order.order_confirm, name="confirm"),
    path("<int:pk>/pay/", order.order_pay, name="pay"),
    path("<int:pk>/cancel/", cancel.order_cancel, name="cancel"),
    path("<int:pk>/cancel/decline/", cancel.order_decline_cancel, name="decline-cancel"),
    path("<int:pk>/recipients/<int:position>/edit/", edit.edit_recipient, name="edit-recipient"),
    path("<int:pk>/delivery/edit/", edit.edit_delivery, name="edit-delivery"),
    path("<int:pk>/note/edit/", edit.edit_note, name="edit-note"),
    path("inbox/", inbox.inbox, name="inbox"),
    path("inbox/accept/", inbox.inbox_accept, name="inbox-accept"),
    path("inbox/hold/", inbox.inbox_hold, name="inbox-hold"),
    path("mails/", mails.mail_list, name="mails"),
    path("mails/<int:pk>/", mails.mail_detail, name="mail"),
    path("mails/templates/", mail_templates.template_list, name="mail-templates"),
    path("mails/templates/<slug:event>/", mail_templates.template_edit, name="mail-template"),
    path("member/<int:pk>/panel/", member.member_panel, name="member-panel"),
]
