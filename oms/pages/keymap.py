"""Every key of the product, for the help page. The keys themselves are declared where they act, by `data-key`."""

from dataclasses import dataclass

from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from oms.pages.navigation import links


@dataclass(frozen=True)
class Group:
    title: str | Promise
    keys: tuple[tuple[str, str | Promise], ...]


KEYMAP = (
    Group(
        _("どこでも"),
        (
            ("/", _("検索欄へ移動")),
            ("?", _("この画面のキー一覧")),
            ("Esc", _("閉じる、選択を解除")),
        ),
    ),
    Group(
        _("一覧"),
        (
            ("j", _("次の行")),
            ("k", _("前の行")),
            ("Enter", _("開く")),
            ("o", _("開く")),
            ("x", _("行を選択")),
            ("Shift+x", _("ここまで範囲選択")),
            ("a", _("条件に合うものをすべて選択")),
            ("i", _("選択した受注のその他の操作")),
            ("f", _("絞り込み")),
            ("v", _("保存ビューと列")),
            ("Shift+f", _("この一覧を検索")),
            ("[", _("前のステータス")),
            ("]", _("次のステータス")),
        ),
    ),
    Group(
        _("受注"),
        (
            ("c", _("確認理由を解消して次へ")),
            ("Shift+c", _("確認理由をすべて解消")),
            ("h", _("保留／解除")),
            ("z", _("日付まで保留")),
            ("t", _("タグ")),
            ("g", _("同梱")),
            ("s", _("分割")),
            ("Shift+h", _("選択した受注の保留解除")),
            ("r", _("出荷指示")),
            ("p", _("印刷")),
            ("m", _("メール")),
            ("e", _("届け先を編集")),
            ("Shift+n", _("受注の手入力")),
            ("Shift+d", _("受注を複写")),
            ("n", _("社内メモ")),
            (".", _("同じ受注の次の確認理由")),
            ("1", _("確認理由のおすすめの対応（1〜9）")),
            ("u", _("直前の操作を元に戻す")),
            ("y", _("受注番号をコピー")),
            ("Ctrl+Enter", _("保存して次へ")),
        ),
    ),
)


def keymap(request: HttpRequest) -> list[Group]:
    """The keys of this person: those that open screens only for screens they may see."""
    open_to = [*links(request), *links(request, more=True)]
    places = Group(
        _("画面を開く"), (("w h", _("ホーム")), *((f"w {link.key}", link.label) for link in open_to if link.key))
    )
    return [KEYMAP[0], places, *KEYMAP[1:]]
