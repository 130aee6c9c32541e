"""自動処理ルール: the list, one rule with its versions, the builder, trying out, lists, ready-made rules."""

import csv
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from customers.models import Rank
from inventory.models import Location, Sku
from oms.kernel import clock
from oms.kernel.csv_text import csv_line
from oms.kernel.typed import DayField, row_id
from oms.kernel.web import person_of, render_page
from orders import rule_form
from orders.decide.reasons import CATALOGUE
from orders.decide.rules import actions, conditions, sentence
from orders.decide.rules import document as documents
from orders.decide.rules.checked import Document
from orders.models import Order, Rule, RuleList, RuleListVersion, RuleVersion, Shop
from orders.models.order import Stage
from orders.queries import rule_start
from orders.queries import rules as queries
from orders.queries.detail import PERSONAL
from orders.services.rules import active, dry, names, publish, ready_made

MANAGE = "orders.manage_rules"
DAYS = (1, 7, 30, 90)


@require_GET
@permission_required(MANAGE, raise_exception=True)
def rule_list(request: HttpRequest) -> HttpResponse:
    """Every rule; `?show=` only those without a hit, overruled ones, those with errors, or drafts."""
    rows, show = queries.rule_rows(), request.GET.get("show", "")
    signs = [(code, label, sum(code in row.signs for row in rows)) for code, label in queries.SIGNS.items()]
    shown = [row for row in rows if show in row.signs] if show in queries.SIGNS else rows
    context = {"rows": shown, "all": len(rows), "signs": signs, "show": show if show in queries.SIGNS else ""}
    return render_page(request, "orders/rules/list.html", context)


@require_GET
@permission_required(MANAGE, raise_exception=True)
def rule_detail(request: HttpRequest, pk: int) -> HttpResponse:
    rule = get_object_or_404(Rule.objects.select_related("owner"), pk=pk)
    newest = publish.newest(rule)
    shown = rule.versions.filter(number=rule.published or 0).first() or newest
    state, tone = queries.state_of(rule)
    context = {
        "rule": rule,
        "state": state,
        "tone": tone,
        "shown": shown,
        "draft": newest if newest.is_draft else None,
        **reading(shown.document),
        "versions": queries.version_rows(rule),
        "days": (days := queries.days_of(rule)),
        "busiest": max(day["hits"] for day in days),
        "figures": queries.tallies().get(rule.pk, {}),
        "rivals": queries.rivals_of(rule),
    }
    return render_page(request, "orders/rules/detail.html", context)


def reading(document: Mapping[str, Any]) -> dict[str, Any]:
    """A document as people read it."""
    called = names.names()
    named = sentence.spoken(document, called)
    return {
        "sentence": sentence.sentence(named),
        "when": sentence.when_text(named["when"]),
        "scope": sentence.scope_texts(document, queries.places_of(called)),
        "tree": sentence.tree(named["if"]),
        "then": [sentence.action_text(action) for action in named["then"]],
        "otherwise": [sentence.action_text(action) for action in named["else"]],
        "stop": document["stop"],
    }


# ---- the builder


@require_http_methods(["GET", "POST"])
@permission_required(MANAGE, raise_exception=True)
def rule_new(request: HttpRequest) -> HttpResponse:
    """A blank builder, or one begun from an order and one of its reasons (`?order=&reason=`)."""
    if request.method == "POST":
        return _build(request, None)
    document, name = _from_order(request.GET.get("order", ""), request.GET.get("reason", ""))
    return _show_builder(request, None, document, name=name, note="", faults=[])


@require_http_methods(["GET", "POST"])
@permission_required(MANAGE, raise_exception=True)
def rule_edit(request: HttpRequest, pk: int) -> HttpResponse:
    rule = get_object_or_404(Rule, pk=pk)
    if request.method == "POST":
        return _build(request, rule)
    newest = publish.newest(rule)
    note = newest.note if newest.is_draft else ""
    return _show_builder(request, rule, documents.blank() | newest.document, name=rule.name, note=note, faults=[])


def _build(request: HttpRequest, rule: Rule | None) -> HttpResponse:
    """A button of the builder: change the shape and show again, or save."""
    document = rule_form.read(request.POST)
    name, note = request.POST.get("name", "").strip()[:80], request.POST.get("note", "").strip()[:200]
    if "save" not in request.POST and "publish" not in request.POST:
        document = rule_form.change(document, request.POST.get("change", ""))
        return _show_builder(request, rule, document, name=name, note=note, faults=[])
    found = documents.check(document, active.known())
    faults = found.faults + ([] if name else [("name", _("ルール名を入力してください。"))])
    if faults:
        return _show_builder(request, rule, document, name=name, note=note, faults=faults)
    by = person_of(request)
    if rule is None:
        version = publish.create(name, found.document, by=by)
    else:
        version = publish.save_draft(rule.pk, name, found.document, by=by, note=note)
    if "publish" in request.POST:
        publish.publish(version.pk, by=by)
        messages.success(request, _("ルールを公開しました。"))
    else:
        messages.success(request, _("下書きを保存しました。"))
    return HttpResponseRedirect(reverse("orders:rule", args=[version.rule_id]))


def _show_builder(
    request: HttpRequest, rule: Rule | None, document: Document, *, name: str, note: str, faults: list[tuple[str, str]]
) -> HttpResponse:  # fmt: skip
    offered = queries.builder_names()
    places = rule_form.by_place(faults)
    context = {
        "rule": rule,
        "document": document,
        "name": name,
        "note": note,
        "names": offered,
        "faults": [(place, text) for place, text in faults if place.split(".")[0] not in {"if", "then", "else"}],
        "fault_count": len(faults),
        "events": documents.EVENTS.items(),
        "stages": Stage.choices,
        "dates": documents.DATE_FIELDS.items(),
        "sides": documents.SIDES.items(),
        "weekdays": queries.words.WEEKDAYS,
        "matches": conditions.MATCHES.items(),
        "line_matches": conditions.LINE_MATCHES.items(),
        "fields": queries.field_groups(lines=False),
        "line_fields": queries.field_groups(lines=True),
        "summable": queries.summable(),
        "specs": actions.SPECS.values(),
        "known_tags": queries.known_tags(),
        "node": rule_form.node_rows(document["if"], "if", places, offered),
        "then_rows": rule_form.action_rows(document, "then", places, offered),
        "else_rows": rule_form.action_rows(document, "else", places, offered),
        "sentence": _sentence(document),
        "action_url": request.path,
    }
    return render_page(request, "orders/rules/builder.html", context, fragment="orders/rules/_builder.html")


def _sentence(document: Document) -> str:
    """As far as it can be said yet."""
    checked = documents.check(document, active.known())
    return sentence.sentence(sentence.spoken(checked.document, names.names()))


def _from_order(order_id: str, code: str) -> tuple[Document, str]:
    order = Order.objects.select_related("shop").filter(pk=row_id(order_id) or 0).first()
    if order is None or code not in CATALOGUE:
        return documents.blank(), ""
    return rule_start.begun(order, code)


# ---- what is done with a rule


class ScheduleForm(forms.Form):
    at = forms.DateTimeField(label=lazy("公開する日時"), widget=forms.DateTimeInput(attrs={"type": "datetime-local"}))

    def clean_at(self) -> datetime:
        at: datetime = self.cleaned_data["at"]
        if at <= clock.now():
            raise forms.ValidationError(_("これからの日時を入力してください。"))
        return at


@require_POST
@permission_required(MANAGE, raise_exception=True)
def rule_publish(request: HttpRequest, pk: int) -> HttpResponse:
    """Publish the draft now, or at the time given (`at`); `cancel` calls that off."""
    rule = get_object_or_404(Rule, pk=pk)
    draft = publish.newest(rule)
    if not draft.is_draft:
        messages.warning(request, _("公開する下書きがありません。"))
    elif "cancel" in request.POST:
        publish.schedule(draft.pk, None)
        messages.success(request, _("公開の予定を取り消しました。"))
    elif request.POST.get("at"):
        form = ScheduleForm(request.POST)
        if form.is_valid():
            publish.schedule(draft.pk, form.cleaned_data["at"])
            messages.success(request, _("公開を予定しました。"))
        else:
            messages.error(request, " ".join(map(str, form.errors["at"])))
    else:
        _try(request, lambda: publish.publish(draft.pk, by=person_of(request)), _("ルールを公開しました。"))
    return HttpResponseRedirect(reverse("orders:rule", args=[pk]))


@require_POST
@permission_required(MANAGE, raise_exception=True)
def rule_roll_back(request: HttpRequest, pk: int) -> HttpResponse:
    number = request.POST.get("number", "")
    rule = get_object_or_404(Rule, pk=pk)
    version = get_object_or_404(RuleVersion, rule=rule, number=row_id(number))
    said = _("第%(n)s版の内容に戻しました。") % {"n": version.number}
    _try(request, lambda: publish.roll_back(pk, version.number, by=person_of(request)), said)
    return HttpResponseRedirect(reverse("orders:rule", args=[pk]))


def _try(request: HttpRequest, what: Any, said: str) -> None:
    try:
        what()
    except publish.Faulty as faulty:
        messages.error(request, " ".join(text for _place, text in faulty.faults))
    else:
        messages.success(request, said)


@require_POST
@permission_required(MANAGE, raise_exception=True)
def rule_drop(request: HttpRequest, pk: int) -> HttpResponse:
    """Throw the draft away; a rule that was never published goes with it."""
    rule = get_object_or_404(Rule, pk=pk)
    messages.success(request, _("下書きを捨てました。"))
    if publish.drop_draft(rule.pk):
        return HttpResponseRedirect(reverse("orders:rule", args=[pk]))
    return HttpResponseRedirect(reverse("orders:rules"))


@require_POST
@permission_required(MANAGE, raise_exception=True)
def rule_pause(request: HttpRequest, pk: int) -> HttpResponse:
    """Stop, or go on with `resume`."""
    get_object_or_404(Rule, pk=pk)
    paused = "resume" not in request.POST
    if publish.set_paused(pk, paused=paused, by=person_of(request)):
        messages.success(request, _("ルールを止めました。") if paused else _("ルールを再開しました。"))
    return HttpResponseRedirect(reverse("orders:rule", args=[pk]))


# ---- trying out


@require_GET
@permission_required([MANAGE, "orders.view_order"], raise_exception=True)
def rule_dry(request: HttpRequest, pk: int) -> HttpResponse:
    """What the newest version would do to the orders of the last days. Nothing is stored or sent."""
    rule, version = _version(pk)
    days = _days(request)
    compiled = active.compiled(rule.pk, version.number, rule.name, version.document)
    tried = dry.try_rule(compiled, days=days)
    context = {
        "rule": rule,
        "version": version,
        "tried": tried,
        "shown": [_shown(change, tried.sides[change.order_id], rule) for change in tried.changes[:200]],
        "days": days,
        "choices": DAYS,
        "actions": sorted(tried.actions.items()),
    }
    return render_page(request, "orders/rules/dry.html", context)


def _shown(change: dry.Change, sides: dry.Sides, rule: Rule) -> dict[str, Any]:
    """A row; what the rule itself does is said without its name."""
    own = f"{rule.name}: "
    return {
        "change": change,
        "sides": sides,
        "does": [str(text).removeprefix(own) for text in change.does],
        "takes_back": [str(text).removeprefix(own) for text in change.takes_back],
    }


@require_GET
@permission_required([MANAGE, "orders.export_order"], raise_exception=True)
def rule_dry_csv(request: HttpRequest, pk: int) -> HttpResponse:
    rule, version = _version(pk)
    compiled = active.compiled(rule.pk, version.number, rule.name, version.document)
    tried = dry.try_rule(compiled, days=_days(request))
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="rule-{rule.pk}-dry-run.csv"'
    response.write(
        "\ufeff" + csv_line([_("店舗"), _("受注番号"), _("今の版"), _("この版"), _("すること"), _("取り消すこと")])
    )
    for change in tried.changes:
        sides = tried.sides[change.order_id]
        told = [_side_text(sides.now), _side_text(sides.then), " / ".join(change.does), " / ".join(change.takes_back)]
        response.write(csv_line([change.shop, change.no, *told]))
    return response


def _side_text(side: dry.Side | None) -> str:
    if side is None:
        return ""
    return " / ".join([_("該当") if side.matched else _("該当しない"), *side.does])


def _version(pk: int) -> tuple[Rule, RuleVersion]:
    rule = get_object_or_404(Rule, pk=pk)
    return rule, publish.newest(rule)


def _days(request: HttpRequest) -> int:
    typed = request.GET.get("days", "")
    return max(1, min(366, row_id(typed) or 30))


@require_GET
@permission_required([MANAGE, PERSONAL], raise_exception=True)
def rule_test(request: HttpRequest, pk: int) -> HttpResponse:
    """One order (`?no=`, its number or id): each condition with the order's value."""
    rule, version = _version(pk)
    typed = request.GET.get("no", "").strip()
    context: dict[str, Any] = {"rule": rule, "version": version, "typed": typed}
    context["recent"] = [] if typed else queries.recent_orders()
    order = _find(typed) if typed else None
    if order is not None:
        compiled = active.compiled(rule.pk, version.number, rule.name, version.document)
        explained = dry.explain_one(order.pk, compiled)
        assert explained is not None  # just found
        context |= {"order": order, "root": _explained(explained[0], names.names()), **reading(version.document)}
    elif typed:
        context["problem"] = _("受注「%(no)s」は見つかりません。") % {"no": typed}
    return render_page(request, "orders/rules/test.html", context)


def _find(typed: str) -> Order | None:
    found = Order.objects.select_related("shop").filter(channel_order_no=typed).order_by("-pk").first()
    return found or Order.objects.select_related("shop").filter(pk=row_id(typed) or 0).first()


def _explained(part: Any, called: sentence.Names) -> dict[str, Any]:
    is_group, node = "match" in part.node, sentence.spoken_node(part.node, called)
    text = sentence.tree(node).text if is_group else sentence.condition_text(node)
    return {
        "text": text,
        "result": part.result,
        "value": "" if is_group else sentence.value_text(node["field"], part.value, called),
        "parts": [_explained(one, called) for one in part.items],
    }


# ---- ready-made rules and lists


class InstallForm(forms.Form):
    sku = forms.CharField(label="SKU", required=False, max_length=60)
    location = forms.CharField(required=False, max_length=40)
    gift = forms.CharField(required=False, max_length=60)
    rank = forms.CharField(required=False, max_length=20)
    shop = forms.CharField(required=False, max_length=60)
    since = DayField(required=False)
    until = DayField(required=False)

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if values.get("since") and values.get("until") and values["since"] > values["until"]:
            raise forms.ValidationError(_("終了日は開始日以降にしてください。"))
        return values

    @property
    def chosen(self) -> ready_made.Chosen:
        return ready_made.Chosen(**self.cleaned_data)


@require_http_methods(["GET", "POST"])
@permission_required(MANAGE, raise_exception=True)
def rule_templates(request: HttpRequest) -> HttpResponse:
    """Ready-made rules; POST installs one (`code`) as a draft."""
    if request.method == "POST":
        return _install(request)
    installed = dict(Rule.objects.exclude(template="").values_list("template", "pk"))
    context = {
        "examples": [{"one": one, "installed": installed.get(one.code)} for one in ready_made.EXAMPLES],
        "standard": [
            {"one": one, "installed": installed.get(one.code)}
            for one in ready_made.STANDARD
            if one not in ready_made.EXAMPLES
        ],
        "locations": Location.objects.filter(active=True).order_by("priority"),
        "ranks": Rank.objects.all(),
        "shops": Shop.objects.order_by("channel", "code"),
        "since": clock.today(),
        "until": clock.today() + ready_made.CAMPAIGN,
        "lifted": clock.today() + ready_made.PAUSE,
    }
    return render_page(request, "orders/rules/templates.html", context)


def _install(request: HttpRequest) -> HttpResponse:
    code, form = request.POST.get("code", ""), InstallForm(request.POST)
    if code not in ready_made.BY_CODE:
        raise Http404
    if not form.is_valid():
        messages.error(request, " ".join(str(text) for texts in form.errors.values() for text in texts))
        return HttpResponseRedirect(reverse("orders:rule-templates"))
    own = form.chosen
    asked = [own.sku] if ready_made.BY_CODE[code].sku else []
    for sku in [*asked, *filter(None, [own.gift])]:
        if not Sku.objects.filter(code=sku).exists():
            messages.error(request, _("SKU「%(code)s」は見つかりません。") % {"code": sku})
            return HttpResponseRedirect(reverse("orders:rule-templates"))
    try:
        version = ready_made.install(code, by=person_of(request), own=own)
    except publish.Faulty as faulty:
        messages.error(request, " ".join(text for _place, text in faulty.faults))
        return HttpResponseRedirect(reverse("orders:rule-templates"))
    messages.success(request, _("下書きとして入れました。内容を確かめて公開してください。"))
    return HttpResponseRedirect(reverse("orders:rule", args=[version.rule_id]))


LARGEST_LIST_FILE = 5_000_000


class ListForm(forms.Form):
    """A list by its name: values typed, and the first column of a file."""

    lines: list[str]
    name = forms.CharField(label=lazy("リスト名"), max_length=60)
    values = forms.CharField(label=lazy("値（1行に1つ）"), required=False, widget=forms.Textarea(attrs={"rows": 10}))
    file = forms.FileField(label=lazy("ファイル（CSV・テキスト、先頭の列）"), required=False)

    def clean_file(self) -> str:
        """The text of the file, "" without one."""
        uploaded = self.cleaned_data["file"]
        if not uploaded:
            return ""
        if uploaded.size > LARGEST_LIST_FILE:
            raise forms.ValidationError(_("ファイルが大きすぎます（5MBまで）。要らない列を消してください。"))
        try:
            text = decoded(uploaded.read())
        except UnicodeDecodeError as error:
            raise forms.ValidationError(_("文字コードが読めません。UTF-8 か Shift_JIS で保存してください。")) from error
        if "\0" in text:
            raise forms.ValidationError(
                _("CSVではないファイルのようです。Excelのファイルは「CSV UTF-8」で保存し直してください。")
            )
        return text

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        text = f"{values.get('values', '')}\n{values.get('file', '')}"
        try:
            self.lines = [row[0] for row in csv.reader(text.splitlines()) if row]
        except csv.Error as error:
            raise forms.ValidationError(_("CSVとして読めません。引用符と列の長さを確かめてください。")) from error
        return values


def decoded(data: bytes) -> str:
    """UTF-8, else what Japanese spreadsheets write. Raises UnicodeDecodeError."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp932")


@require_http_methods(["GET", "POST"])
@permission_required(MANAGE, raise_exception=True)
def rule_lists(request: HttpRequest) -> HttpResponse:
    """Lists that conditions name; `?name=` opens one, POST writes it."""
    form = ListForm(request.POST, request.FILES) if request.method == "POST" else ListForm(initial=_list_of(request))
    if form.is_bound and form.is_valid():
        try:
            saved = publish.save_list(form.cleaned_data["name"].strip(), form.lines, by=person_of(request))
        except ValueError:
            form.add_error("values", _("リストは %(n)s 件までです。") % {"n": f"{publish.LONGEST_LIST:,}"})
        else:
            messages.success(request, _("リストを保存しました（%(n)s件）。") % {"n": f"{len(saved.values):,}"})
            return HttpResponseRedirect(f"{reverse('orders:rule-lists')}?{urlencode({'name': saved.name})}")
    context = {"lists": RuleList.objects.all(), "form": form, "versions": _list_versions(request.GET.get("name", ""))}
    return render_page(request, "orders/rules/lists.html", context)


LIST_VERSIONS = 20  # that are shown; older ones are kept


def _list_versions(name: str) -> list[dict[str, Any]]:
    """Newest first, each with how many values came and went against the one before."""
    found = list(RuleListVersion.objects.filter(rule_list__name=name).select_related("by")[: LIST_VERSIONS + 1])
    rows: list[dict[str, Any]] = []
    for at, version in enumerate(found):
        old, new = set(found[at + 1].values if at + 1 < len(found) else ()), set(version.values)
        rows.append({"version": version, "came": len(new - old), "went": len(old - new), "current": not rows})
    return rows[:LIST_VERSIONS]


@require_POST
@permission_required(MANAGE, raise_exception=True)
def rule_list_back(request: HttpRequest) -> HttpResponse:
    """Go back to an earlier version (`number`) of a list (`name`)."""
    name, number = request.POST.get("name", ""), row_id(request.POST.get("number", ""))
    try:
        publish.list_back(name, number or 0, by=person_of(request))
    except RuleListVersion.DoesNotExist as error:
        raise Http404 from error
    messages.success(request, _("リストを第%(n)s版の内容に戻しました。") % {"n": number})
    return HttpResponseRedirect(f"{reverse('orders:rule-lists')}?{urlencode({'name': name})}")


def _list_of(request: HttpRequest) -> dict[str, str]:
    found = RuleList.objects.filter(name=request.GET.get("name", "")).first()
    return {"name": found.name, "values": "\n".join(found.values)} if found else {}
