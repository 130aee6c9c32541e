"""Settings, by environment. The embedded defaults make `make run` work with nothing configured."""

import os
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from django.utils.translation import gettext_lazy as _

from oms.runtime import embedded

BASE_DIR = Path(__file__).resolve().parents[1]
PRODUCTION = os.environ.get("OMS_ENV", "local") == "production"
DEBUG = False


def database(url: str) -> dict[str, object]:
    """A Django DATABASES entry from a postgresql:// URL; `?host=` may name a unix socket's folder."""
    parts = urlsplit(url)
    query = {key: values[0] for key, values in parse_qs(parts.query).items()}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")) or "postgres",
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": query.get("host", parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "options": "-c lock_timeout=3s -c statement_timeout=30s -c idle_in_transaction_session_timeout=30s"
        },
    }


DATABASES = {"default": database(embedded.database_url())}
REDIS_URL = embedded.redis_url()

SECRET_KEY = os.environ.get("SECRET_KEY", "local-only-" + "x" * 50)
ALLOWED_HOSTS = os.environ.get("ALLOWED_HOSTS", "*").split(",")

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "django_filters",
    "oms.kernel",
    "inventory",
    "customers",
    "orders",
    "fulfillment",
    "channels",
    "oms.pages",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "oms.kernel.middleware.ContentSecurityPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "oms.kernel.middleware.ChosenLanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "oms.kernel.middleware.LoginByHtmxMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
SECURE_CSP = {
    "default-src": ["'self'"],
    "img-src": ["'self'", "data:", "https:"],  # product pictures come from the malls
    "object-src": ["'none'"],
    "base-uri": ["'none'"],
    "form-action": ["'self'"],
    "frame-ancestors": ["'none'"],
}
CSRF_FAILURE_VIEW = "oms.pages.views.errors.csrf_failure"
ROOT_URLCONF = "oms.urls"
WSGI_APPLICATION = "oms.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "oms.pages.navigation.chrome",
            ]
        },
    }
]
AUTH_USER_MODEL = "kernel.User"
LOGIN_URL = "pages:login"
LOGIN_REDIRECT_URL = "pages:home"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

PRODUCT_NAME = _("受注デスク")

LANGUAGE_CODE = "ja"
LANGUAGES = [("ja", "日本語"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "Asia/Tokyo"
USE_TZ = True
USE_I18N = True

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = BASE_DIR / "staticfiles"
