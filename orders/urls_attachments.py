from django.urls import URLPattern, path

from orders.views import attachments

attachment_routes: list[URLPattern] = [
    path("<int:pk>/attachments/", attachments.panel, name="attachments"),
    path("<int:pk>/attachments/add/", attachments.attach, name="attach"),
    path("<int:pk>/attachments/<int:attachment>/", attachments.download, name="attachment"),
    path("<int:pk>/attachments/<int:attachment>/remove/", attachments.remove, name="attachment-remove"),
    path("<int:pk>/talk/", attachments.talk, name="talk"),
    path("<int:pk>/channel-memo/", attachments.channel_memo, name="channel-memo"),
]
