"""Routes of issued papers. `papers/link/` alone is open to the world."""

from django.urls import URLPattern, path

from orders.views import order_papers, paper_settings, papers

paper_routes: list[URLPattern] = [
    path("papers/", papers.paper_list, name="papers"),
    path("papers/csv/", papers.papers_csv, name="papers-csv"),
    path("papers/zip/", papers.papers_zip, name="papers-zip"),
    path("papers/shops/", paper_settings.shop_list, name="paper-shops"),
    path("papers/shops/<int:pk>/", paper_settings.shop_papers, name="paper-settings"),
    path("papers/link/<str:token>/", papers.document_link, name="document-link"),
    path("papers/<int:pk>/", papers.paper_detail, name="paper"),
    path("papers/<int:pk>/pdf/", papers.paper_pdf, name="paper-pdf"),
    path("papers/<int:pk>/reissue/", papers.paper_reissue, name="paper-reissue"),
    path("papers/<int:pk>/correct/", papers.paper_correct, name="paper-correct"),
    path("papers/<int:pk>/void/", papers.paper_void, name="paper-void"),
    path("papers/<int:pk>/link/", papers.paper_link, name="paper-link"),
    path("papers/<int:pk>/revoke/", papers.paper_revoke, name="paper-revoke"),
    path("<int:pk>/papers/", order_papers.order_papers, name="order-papers"),
    path("<int:pk>/papers/credit-note/", order_papers.order_credit, name="order-credit"),
    path("<int:pk>/papers/split/", order_papers.order_split, name="order-split"),
    path("<int:pk>/papers/<slug:kind>/", order_papers.order_issue, name="order-issue"),
]
