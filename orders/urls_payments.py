"""Routes of payments: who owes, what the bank says, terms, refunds."""

from django.urls import URLPattern, path

from orders.views import matching, payment_terms, payments, refund_requests

payment_routes: list[URLPattern] = [
    path("payments/", payments.payment_list, name="payments"),
    path("payments/expired/", payments.payment_expired, name="payments-expired"),
    path("payments/refunds/", payments.refund_list, name="refunds"),
    path("payments/refunds/<int:pk>/done/", payments.refund_done, name="refund-done"),
    path("payments/refunds/<int:pk>/withdraw/", payments.refund_withdraw, name="refund-withdraw"),
    path("payments/approvals/", refund_requests.request_list, name="refund-requests"),
    path("payments/approvals/<int:pk>/approve/", refund_requests.request_approve, name="refund-request-approve"),
    path("payments/approvals/<int:pk>/refuse/", refund_requests.request_refuse, name="refund-request-refuse"),
    path("payments/approvals/<int:pk>/withdraw/", refund_requests.request_withdraw, name="refund-request-withdraw"),
    path("payments/limits/", refund_requests.limits, name="refund-limits"),
    path("payments/tasks/<int:pk>/done/", payments.money_task_done, name="money-task-done"),
    path("payments/match/", matching.matching_page, name="matching"),
    path("payments/match/load/", matching.bank_load, name="bank-load"),
    path("payments/match/columns/", matching.bank_columns, name="bank-columns"),
    path("payments/match/sure/", matching.match_sure, name="match-sure"),
    path("payments/match/<int:pk>/undo/", matching.match_undo, name="match-undo"),
    path("payments/lines/<int:pk>/", matching.line_search, name="bank-line"),
    path("payments/lines/<int:pk>/accept/", matching.match_accept, name="match-accept"),
    path("payments/lines/<int:pk>/aside/", matching.line_set_aside, name="line-aside"),
    path("payments/terms/", payment_terms.terms_list, name="payment-terms"),
    path("payments/terms/<slug:code>/", payment_terms.terms_edit, name="payment-terms-edit"),
    path("payments/terms/<slug:code>/fees/<slug:method>/", payment_terms.fees_edit, name="payment-fees"),
    path("payments/terms/<slug:code>/fees/<slug:method>/reset/", payment_terms.fees_reset, name="payment-fees-reset"),
    path("payments/terms/<int:pk>/reset/", payment_terms.terms_reset, name="payment-terms-reset"),
    path("<int:pk>/payment/", payments.order_payment, name="payment"),
    path("<int:pk>/payment/record/", payments.payment_record, name="payment-record"),
    path("<int:pk>/payment/held/", payments.payment_held, name="payment-held"),
    path("<int:pk>/payment/waive/", payments.payment_waive, name="payment-waive"),
    path("<int:pk>/payment/<int:entry>/undo/", payments.payment_undo, name="payment-undo"),
    path("<int:pk>/refund/", payments.refund_new, name="refund-new"),
]
