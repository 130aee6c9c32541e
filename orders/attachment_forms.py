"""What one adds to an order beside its fields: a file, a conversation, the shop's note at the channel."""

from typing import Any
from uuid import uuid4

from django import forms
from django.utils.translation import gettext_lazy as _

from orders.models import OrderTalk
from orders.services.attachments import Upload
from orders.services.channel_words import MEMO_MOST

TYPES = ".pdf,.png,.jpg,.jpeg,.gif,.webp,.xlsx,.docx,.csv,.txt"


class AttachForm(forms.Form):
    file = forms.FileField(
        label=_("ファイル"),
        max_length=150,
        allow_empty_file=True,  # the service says what to do
        widget=forms.ClearableFileInput(attrs={"accept": TYPES}),
        help_text=_("10MBまで。PDF、画像、Excel、Word、CSV、テキスト。"),
    )
    note = forms.CharField(label=_("説明"), max_length=200, required=False)

    @property
    def upload(self) -> Upload:
        """What was sent, as it came."""
        file = self.cleaned_data["file"]
        return Upload(file.name, file.read(), self.cleaned_data["note"])


class TalkForm(forms.Form):
    key = forms.CharField(max_length=40, widget=forms.HiddenInput)
    way = forms.ChoiceField(label=_("方法"), choices=OrderTalk.Way.choices)
    text = forms.CharField(
        label=_("内容"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("お客様と話したこと、約束したことを書きます。あとから書き換えられません。"),
    )

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, initial={"key": uuid4().hex})


class ChannelMemoForm(forms.Form):
    memo = forms.CharField(
        label=_("モールの店舗メモ"),
        max_length=MEMO_MOST,
        required=False,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_("モールの管理画面に出るメモです。お客様には見えません。保存するとモールに送ります。"),
    )
