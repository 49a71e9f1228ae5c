"""Django settings, fed by ``config_step7.yaml`` and the environment (docs/configuration.md)."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from featurestore_site import broker
from featurestore_site.configuration import load_configuration
from featurestore_site.databases import databases
from featurestore_site.languages import languages_of
from featurestore_site.logs import logging_settings
from featurestore_site.private_files import make_private_file, make_private_folder

BASE_DIR = Path(__file__).resolve().parent.parent

FEATURESTORE = load_configuration()
_environment = FEATURESTORE.environment

# SQLite and the file broker make their files but not the folders. Where none may be made (an image is built,
# types are checked) the settings still load, and what needs them says so itself.
with suppress(OSError):
    make_private_folder(FEATURESTORE.data_dir)
    if FEATURESTORE.database.kind == "sqlite":
        make_private_file(Path(FEATURESTORE.database.name))
    if FEATURESTORE.broker_url.startswith("filesystem:"):
        broker.make_broker_folders(FEATURESTORE)

DEBUG = _environment.debug
SECRET_KEY = FEATURESTORE.secret_key
ALLOWED_HOSTS = list(_environment.allowed_hosts)

INSTALLED_APPS = [
    "featurestore_site.apps.FeatureStoreSiteConfig",
    "catalog.apps.CatalogConfig",
    "serving.apps.ServingConfig",
    "ingestion.apps.IngestionConfig",
    "django.contrib.admin.apps.SimpleAdminConfig",  # its classes are loaded with its addresses
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "django_filters",
    "corsheaders",
    "django_htmx",
    "django_celery_beat",
    "drf_spectacular",
    "drf_spectacular_sidecar",
]

MIDDLEWARE = [
    "featurestore_site.middleware.CallsWithKey",
    "django.middleware.security.SecurityMiddleware",
    "featurestore_site.middleware.StaticFiles",
    "featurestore_site.middleware.ContentSecurityPolicy",
    "featurestore_site.middleware.NoSharedCopies",
    *(["corsheaders.middleware.CorsMiddleware"] if FEATURESTORE.security.cors.enabled else []),
    "featurestore_site.middleware.PageLanguage",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "featurestore_site.middleware.RequestActor",
    "featurestore_site.sign_in_limit.SignInLimit",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "featurestore_site.page_errors.PageErrors",
]

ROOT_URLCONF = "featurestore_site.urls"
WSGI_APPLICATION = "featurestore_site.wsgi.application"
# No path of the API ends with a slash, and no request is redirected to one that does.
APPEND_SLASH = False

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
                "catalog.context_processors.product",
            ],
        },
    },
]

DATABASES = databases(FEATURESTORE)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# ---- Caches: "default" holds counters, "answers" what is costly to compute and may be minutes old --------
_redis = FEATURESTORE.feature_store.online_store != "database"
_answers_kept = FEATURESTORE.feature_store.cache_enabled and FEATURESTORE.performance.query_caching
CACHES: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": FEATURESTORE.feature_store.online_store,
        "KEY_PREFIX": "featurestore:cache",
    }
    if _redis
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "OPTIONS": {"MAX_ENTRIES": 10_000}},
    "answers": {
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": str(FEATURESTORE.feature_store.cache_path),
        "TIMEOUT": FEATURESTORE.cache_ttl.total_seconds(),
    }
    if _answers_kept
    else {"BACKEND": "django.core.cache.backends.dummy.DummyCache"},
}

# ---- People and passwords --------------------------------------------------------------------------------
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"

# ---- Language and time -----------------------------------------------------------------------------------
# What no page says is English: calls of the API, commands, tasks, logs. Pages speak the languages that the folder of
# translations holds, by what the browser of the reader asks for.
LANGUAGE_CODE = "en"
LOCALE_PATHS = [BASE_DIR / "locale"]
LANGUAGES = languages_of(LOCALE_PATHS[0], own=LANGUAGE_CODE)
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
FORMAT_MODULE_PATH = "featurestore_site.formats"

# ---- Static files: collected for production, otherwise straight from the apps ----------------------------
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "static_root"
STATICFILES_DIRS = [BASE_DIR / "static"]
_collected = (STATIC_ROOT / "staticfiles.json").is_file() and not DEBUG
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if _collected
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = not _collected

# ---- REST ------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "serving.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["serving.permissions.HasCapability"],
    "DEFAULT_THROTTLE_CLASSES": ["featurestore_site.throttling.RequestsPerMinute"],
    "DEFAULT_PAGINATION_CLASS": "featurestore_site.pagination.Pages",
    "DEFAULT_FILTER_BACKENDS": [
        "django_filters.rest_framework.DjangoFilterBackend",
        "rest_framework.filters.SearchFilter",
        "rest_framework.filters.OrderingFilter",
    ],
    "DEFAULT_RENDERER_CLASSES": ["serving.api.renderers.JsonAnswer"],
    "DEFAULT_PARSER_CLASSES": ["serving.api.body_parsers.JsonBody"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "serving.api.negotiation.PlainNegotiation",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "featurestore_site.error_shape.exception_handler",
    "NUM_PROXIES": 1 if _environment.behind_proxy else 0,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}

SPECTACULAR_SETTINGS = {
    "TITLE": "Feature Store",
    "DESCRIPTION": "Feature values, history and metadata. Send `Authorization: Token <key>`.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "PREPROCESSING_HOOKS": ["featurestore_site.openapi.only_the_api"],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "featurestore_site.openapi.add_errors",
    ],
    "ENUM_NAME_OVERRIDES": {
        "Status": "catalog.models.Status",
        "LineageNodeKind": "catalog.models.NodeKind",
        "JournalEntryKind": "catalog.models.EntryKind",
        "RunKind": "ingestion.models.RunKind",
        "RunState": "ingestion.models.RunState",
        "DatasetState": "serving.models.DatasetState",
        "CheckState": ["pass", "warn", "fail"],
        "EvidenceState": ["good", "warn", "bad", "unknown"],
        "HealthStatus": ["healthy", "unhealthy"],
        "ValueStatus": ["PRESENT", "NULL_VALUE", "NOT_FOUND", "OUTSIDE_MAX_AGE", "MASKED"],
    },
    # The page asks no other host.
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "persistAuthorization": False, "validatorUrl": None},
}

_cors = FEATURESTORE.security.cors
CORS_URLS_REGEX = r"^/api/"
CORS_ALLOW_ALL_ORIGINS = _cors.enabled and "*" in _cors.allow_origins
CORS_ALLOWED_ORIGINS = [origin for origin in _cors.allow_origins if origin != "*"]
CORS_ALLOW_METHODS = _cors.allow_methods
CORS_ALLOW_HEADERS = [
    "accept",
    "authorization",
    "content-type",
    "x-request-id",
    FEATURESTORE.security.api_key_header.lower(),
]
CORS_EXPOSE_HEADERS = ["x-request-id", "retry-after"]

# ---- Security --------------------------------------------------------------------------------------------
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = _environment.https
CSRF_COOKIE_SECURE = _environment.https
SECURE_SSL_REDIRECT = _environment.https
# Probes ask by address, inside the network, without TLS.
SECURE_REDIRECT_EXEMPT = [r"^api/v1/health$"]
SECURE_HSTS_SECONDS = 31_536_000 if _environment.https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = _environment.https
SECURE_HSTS_PRELOAD = _environment.https
if _environment.behind_proxy:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
if _environment.https:
    CSRF_TRUSTED_ORIGINS = [
        f"https://*{host}" if host.startswith(".") else f"https://{host}" for host in ALLOWED_HOSTS if host != "*"
    ]

# ---- Mail ------------------------------------------------------------------------------------------------
_mail = _environment.mail
EMAIL_BACKEND = f"django.core.mail.backends.{'console' if _mail is None else 'smtp'}.EmailBackend"
if _mail is not None:
    EMAIL_HOST, EMAIL_PORT = _mail.host, _mail.port
    EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _mail.user, _mail.password
    EMAIL_USE_SSL, EMAIL_USE_TLS = _mail.implicit_tls, _mail.starttls
    EMAIL_TIMEOUT = 20
    if _mail.sender:
        DEFAULT_FROM_EMAIL = SERVER_EMAIL = _mail.sender

LOGGING = logging_settings(FEATURESTORE)

# ---- Tasks -----------------------------------------------------------------------------------------------
CELERY_BROKER_URL = FEATURESTORE.broker_url
CELERY_BROKER_TRANSPORT_OPTIONS = broker.transport_options(FEATURESTORE)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TIMEZONE = "UTC"
CELERY_ENABLE_UTC = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
# A run's state is in the database; results would be a second truth.
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CONCURRENCY = FEATURESTORE.performance.parallel_workers
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
DJANGO_CELERY_BEAT_TZ_AWARE = True
