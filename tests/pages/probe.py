"""A small desk of its own: every way in which htmx and the server talk, for test_htmx.py."""

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.urls import include, path, reverse
from django.views.decorators.http import require_GET, require_POST

from oms.kernel.web import answer, live, render_page

state = {"orders": 1, "polls": 0, "note": ""}


class NoteForm(forms.Form):
    note = forms.CharField(label="メモ")


def context():
    return {"state": state, "token": str(state["orders"]), "live_url": reverse("live")}


@require_GET
def desk(request):
    return render_page(request, "probe/desk.html", context(), fragment="probe/_table.html")


def note(request):
    form = NoteForm(request.POST or None)
    if request.method == "GET" or not form.is_valid():
        return render_page(request, "probe/note.html", {"form": form}, fragment="probe/_note.html")
    state["note"] = form.cleaned_data["note"]
    messages.success(request, "メモを保存しました")
    return answer(request, to=reverse("desk"), fragments=["probe/_head.html"], context=context())


@require_GET
def drawer(request):
    return render_page(request, "probe/note.html", {}, fragment="probe/_drawer.html")


@require_GET
def poll(request):
    state["polls"] += 1
    return live(
        request,
        token=str(state["orders"]),
        fragments=["probe/_table.html", "probe/_live.html"],
        context=context,
        to=reverse("desk"),
    )


@require_POST
def forbidden(request):
    raise PermissionDenied


urlpatterns = [
    path("desk/", desk, name="desk"),
    path("desk/note/", note, name="note"),
    path("desk/drawer/", drawer, name="drawer"),
    path("desk/live/", poll, name="live"),
    path("desk/forbidden/", forbidden, name="forbidden"),
    path("", include("oms.urls")),
]
