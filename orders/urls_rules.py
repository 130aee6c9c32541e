"""Routes of the automation rules, labels and tasks."""

from django.urls import URLPattern, path

from orders.views import labels, rule_owner, rules

rule_routes: list[URLPattern] = [
    path("rules/", rules.rule_list, name="rules"),
    path("rules/new/", rules.rule_new, name="rule-new"),
    path("rules/templates/", rules.rule_templates, name="rule-templates"),
    path("rules/lists/", rules.rule_lists, name="rule-lists"),
    path("rules/lists/back/", rules.rule_list_back, name="rule-list-back"),
    path("rules/<int:pk>/", rules.rule_detail, name="rule"),
    path("rules/<int:pk>/edit/", rules.rule_edit, name="rule-edit"),
    path("rules/<int:pk>/publish/", rules.rule_publish, name="rule-publish"),
    path("rules/<int:pk>/roll-back/", rules.rule_roll_back, name="rule-roll-back"),
    path("rules/<int:pk>/owner/", rule_owner.rule_owner, name="rule-owner"),
    path("rules/<int:pk>/pause/", rules.rule_pause, name="rule-pause"),
    path("rules/<int:pk>/drop/", rules.rule_drop, name="rule-drop"),
    path("rules/<int:pk>/dry/", rules.rule_dry, name="rule-dry"),
    path("rules/<int:pk>/dry.csv", rules.rule_dry_csv, name="rule-dry-csv"),
    path("rules/<int:pk>/test/", rules.rule_test, name="rule-test"),
    path("<int:pk>/rules/", labels.order_rules, name="order-rules"),
    path("<int:pk>/labels/", labels.order_labels, name="labels"),
    path("tasks/", labels.task_list, name="tasks"),
    path("tasks/<int:pk>/done/", labels.task_done, name="task-done"),
    path("tasks/<int:pk>/later/", labels.task_later, name="task-later"),
    path("mails/<int:pk>/send/", labels.mail_send, name="mail-send"),
]
