from django.urls import URLPattern, path

from orders.views import billing

billing_routes: list[URLPattern] = [
    path("billing/", billing.accounts, name="billing"),
    path("billing/close/", billing.close_many, name="billing-close-many"),
    path("billing/new/", billing.account_new, name="billing-new"),
    path("billing/<int:pk>/", billing.account, name="billing-account"),
    path("billing/<int:pk>/edit/", billing.account_edit, name="billing-edit"),
    path("billing/<int:pk>/opening/", billing.account_opening, name="billing-opening"),
    path("billing/<int:pk>/came/", billing.account_came, name="billing-came"),
    path("billing/<int:pk>/came/<int:entry>/undo/", billing.account_undo, name="billing-came-undo"),
    path("billing/<int:pk>/close/", billing.close, name="billing-close"),
]
