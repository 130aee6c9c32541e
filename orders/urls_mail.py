"""Routes of the mails."""

from django.urls import URLPattern, path

from orders.views import mail_settings, mail_templates, mails

mail_routes: list[URLPattern] = [
    path("<int:pk>/mails/new/", mails.mail_new, name="mail-new"),
    path("<int:pk>/mails/switch/", mails.mail_switch, name="mail-switch"),
    path("mails/", mails.mail_list, name="mails"),
    path("mails/approve/", mails.mails_approve, name="mails-approve"),
    path("mails/<int:pk>/", mails.mail_detail, name="mail"),
    path("mails/<int:pk>/html/", mails.mail_html, name="mail-html"),
    path("mails/<int:pk>/edit/", mails.mail_edit, name="mail-edit"),
    path("mails/<int:pk>/approve/", mails.mail_approve, name="mail-approve"),
    path("mails/<int:pk>/withdraw/", mails.mail_withdraw, name="mail-withdraw"),
    path("mails/<int:pk>/again/", mails.mail_again, name="mail-again"),
    path("mails/<int:pk>/was-sent/", mails.mail_was_sent, name="mail-was-sent"),
    path("mails/templates/", mail_templates.template_list, name="mail-templates"),
    path("mails/templates/<slug:event>/", mail_templates.template_edit, name="mail-template"),
    path("mails/templates/<slug:event>/versions/", mail_templates.template_versions, name="mail-template-versions"),
    path("mails/templates/<slug:event>/back/", mail_templates.template_back, name="mail-template-back"),
    path("mails/templates/<slug:event>/test/", mail_templates.template_test, name="mail-template-test"),
    path("mails/shops/", mail_settings.policy_list, name="mail-policies"),
    path("mails/shops/<slug:code>/", mail_settings.policy_edit, name="mail-policy"),
    path("mails/stops/", mail_settings.stop_list, name="mail-stops"),
    path("mails/stops/<int:pk>/lift/", mail_settings.stop_lift, name="mail-stop-lift"),
    path("mails/opt-out/<str:token>/", mail_settings.opt_out, name="mail-opt-out"),
]
