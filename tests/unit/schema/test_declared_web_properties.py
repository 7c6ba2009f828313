"""Values that properties of OMERO.web take, and those that would keep it from working."""

from __future__ import annotations

import json
import re

import pytest
from jsonschema import Draft7Validator

from omeroadmin.errors import AdminError, ExitStatus
from omeroadmin.schema.catalog import find_setting, is_secret, settings
from omeroadmin.schema.declared import (
    web_django,
    web_login,
    web_pages,
    web_panels,
    web_security,
    web_server,
    web_sessions,
)
from omeroadmin.schema.kinds import Kind
from omeroadmin.schema.setting import Setting
from omeroadmin.schema.validation import check_value
from omeroadmin.schema.values.check import problem_with

MODULES = (web_django, web_login, web_pages, web_panels, web_security, web_server, web_sessions)
SETTINGS = [setting for module in MODULES for setting in module.SETTINGS]

GOOD = {
    "omero.web.admins": ["[]", '[["Jane Doe", "jane@example.org"], ["José", "jose@localhost"]]'],
    "omero.web.allowed_hosts": ['["*"]', '["omero.example.org", ".example.org", "10.0.0.5", "[::1]", "localhost"]'],
    "omero.web.application_server": ["wsgi-tcp", "wsgi", "development"],
    "omero.web.application_server.host": ["0.0.0.0", "omero_web", "web-1.example.org", "[::1]"],
    "omero.web.apps": ["[]", '["omero_iviewer", "omero_figure", "corsheaders", "lab.pages"]'],
    "omero.web.base_include_template": ["banner/include.html", "my banner.html"],
    "omero.web.caches": [
        '{"default": {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": "redis://127.0.0.1:6379/0"}}',
        '{"default": {"BACKEND": "a.B", "TIMEOUT": null}, "redis": {"BACKEND": "c.D", "LOCATION": ["a", "b"]}}',
        '{"default": {"BACKEND": "a.B", "OPTIONS": {"CLIENT_CLASS": "c.D", "MAX_ENTRIES": 5}}}',
    ],
    "omero.web.cors_origin_whitelist": ['["https://hostname.example.com", "http://localhost:8080", "null"]'],
    "omero.web.csrf_cookie_samesite": ["Lax", "Strict", "None"],
    "omero.web.csrf_trusted_origins": ['["https://*.example.com", "https://omero.example.net:8443"]'],
    "omero.web.databases": ["{}", '{"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "/x"}, "other": {}}'],
    "omero.web.debug": ["true", "False", "1", "t", "no"],
    "omero.web.django_additional_settings": [
        "[]",
        '[["CUSTOM_KEY", "CUSTOM_VALUE"], ["LIMIT", 5], ["X", {"a": null}]]',
    ],
    "omero.web.favicon_url": ["lab/favicon.ico"],
    "omero.web.login_logo": ["https://example.org/logo.png", "/static/lab/logo.png", "data:image/png;base64,iVBOR="],
    "omero.web.login_redirect": [
        "{}",
        '{"redirect": ["webindex"], "viewname": "load", "args": ["userdata"], "query_string": {"experimenter": -1}}',
        '{"viewname": "webindex", "query_string": "show=project-1"}',
    ],
    "omero.web.middleware": [
        '[{"index": 0.5, "class": "corsheaders.middleware.CorsMiddleware"}, {"index": -1, "class": "a.B"}]'
    ],
    "omero.web.nginx_server_extra_config": ['["listen 443 ssl;", "", "location /x {", "}"]'],
    "omero.web.open_with": [
        '[["omero_figure", "new_figure", {"supported_objects": ["images"], "target": "_blank", "label": "Figure"}]]',
        '[["Mine", "https://example.org/open", {"script_url": "mine/open.js"}], ["Bare", "webindex"]]',
    ],
    "omero.web.ping_interval": ["0", "60000"],
    "omero.web.pipeline_js_compressor": ["", "pipeline.compressors.yuglify.YuglifyCompressor"],
    "omero.web.plate_layout": ["expand", "trim", "shrink"],
    "omero.web.prefix": ["/omero", "/institute/omero/", ""],
    "omero.web.public.url_filter": ["^/webgateway", "^/(?!webadmin)", "(?#nothing)a^"],
    "omero.web.redirect_allowed_hosts": ['["openmicroscopy.org", "localhost:8080"]'],
    "omero.web.root_application": ["", "gallery"],
    "omero.web.search.default_user": ["-1", "0", "52"],
    "omero.web.secure_proxy_ssl_header": ["[]", '["HTTP_X_FORWARDED_PROTO_OMERO_WEB", "https"]'],
    "omero.web.server_list": [
        '[["localhost", 4064, "omero"], ["omero.example.org", "14064"], ["::1", 4064, null]]',
        '[["wss://omero.example.org/omero-ws", 443, "by web socket"]]',
    ],
    "omero.web.session_cookie_domain": [".example.org", "localhost"],
    "omero.web.session_cookie_path": ["/", "/omero"],
    "omero.web.session_engine": ["django.contrib.sessions.backends.cache", "omeroweb.filesessionstore"],
    "omero.web.session_serializer": ["django.contrib.sessions.serializers.PickleSerializer"],
    "omero.web.sharing.opengraph": ['{"omero": "Open Microscopy"}'],
    "omero.web.static_url": ["/static/", "/omero/static", "https://cdn.example.org/omero/", "https://cdn.example.org"],
    "omero.web.staticfile_dirs": ['["/opt/static", ["lab", "/opt/lab"]]'],
    "omero.web.system_checks": ["[]", '["1_8.W001", "security.W004"]'],
    "omero.web.template_dirs": ['["/opt/templates"]'],
    "omero.web.time_zone": ["Europe/Berlin", "America/Argentina/Buenos_Aires", "UTC", "Etc/GMT+5", "GB-Eire"],
    "omero.web.top_logo": ["", "/static/lab/logo.png"],
    "omero.web.ui.center_plugins": [
        "[]",
        '[["Split View", "webtest/splitview.js.html", "split_view_panel"]]',
    ],
    "omero.web.ui.metadata_panes": ["[]", '[{"name": "tag", "label": "Tags", "index": 1.5, "more": true}]'],
    "omero.web.ui.top_links": [
        '[["Webtest", "webtest_index"], ["Homepage", "http://example.org", {"title": "Homepage", "target": "new"}]]',
        '[["Repository", {"viewname": "webindex", "query_string": {"experimenter": -1}}, {"title": "Repo"}]]',
    ],
    "omero.web.upgrades.url": ["http://localhost:8000/upgrade"],
    "omero.web.viewer.view": ["omero_iviewer.views.index"],
    "omero.web.wsgi_args": ["--log-level=DEBUG --error-logfile=/opt/omero/web/error.log"],
    "omero.web.wsgi_timeout": ["0", "600"],
    "omero.web.x_frame_options": ["DENY", "ALLOWALL"],
}

BAD = {
    "omero.web.admins": ['["jane@example.org"]', '[["Jane", "jane@example.org", "x"]]', '[["Jane", "jane"]]', "{}"],
    "omero.web.allowed_hosts": ["[]", '"omero.example.org"', '["https://omero.example.org"]', '["omero:8080"]'],
    "omero.web.application_server": ["fastcgi", "WSGI-TCP", ""],
    "omero.web.application_server.host": ["::1", "http://localhost", "a b", ""],
    "omero.web.apps": ['["omero-iviewer"]', '"omero_iviewer"', "omero_iviewer", "['omero_iviewer']", "[1]"],
    "omero.web.base_include_template": ["/opt/banner.html", ""],
    "omero.web.caches": ["{}", '{"default": {}}', '{"other": {"BACKEND": "a.B"}}', '{"default": "a.B"}', "[]"],
    "omero.web.chunk_size": ["0", "1M", "-1"],
    "omero.web.cors_origin_whitelist": [
        '["hostname.example.com"]',
        '["https://example.com/"]',
        '"https://example.com"',
    ],
    "omero.web.csrf_cookie_samesite": ["false", "Loose", ""],
    "omero.web.csrf_trusted_origins": ['[".example.com"]', '["https://example.com/x"]'],
    "omero.web.databases": ['{"other": {"ENGINE": "x"}}', '{"default": "sqlite3"}', "[]"],
    "omero.web.debug": ["yes", "on", "enabled", "", "None"],
    "omero.web.django_additional_settings": ['["CUSTOM_KEY", "CUSTOM_VALUE"]', '[["custom", 1]]', '[["KEY"]]', "{}"],
    "omero.web.favicon_url": ["/static/favicon.ico", "https://example.org/favicon.ico"],
    "omero.web.login_logo": ["logo.png", "ftp://example.org/logo.png", "https://"],
    "omero.web.login_redirect": [
        '{"redirect": ["webindex"]}',
        '{"viewname": "webindex", "arguments": []}',
        '"webindex"',
    ],
    "omero.web.middleware": ['["a.B"]', '[{"class": "a.B"}]', '[{"index": "1", "class": "a.B"}]', '[{"index": 1}]'],
    "omero.web.nginx_server_extra_config": ["listen 443 ssl;", "[443]"],
    "omero.web.open_with": ['[["Alone"]]', '["Name", "url"]', '[["N", "u", {"supported_objects": "image"}]]'],
    "omero.web.page_size": ["0", "many"],
    "omero.web.ping_interval": ["-1", "1.5", "60s"],
    "omero.web.plate_layout": ["normal", "Expand"],
    "omero.web.prefix": ["omero", "/", "/a b", "/a;return 200"],
    "omero.web.public.server_id": ["0", "omero"],
    "omero.web.public.url_filter": ["^/(webgateway", "*"],
    "omero.web.redirect_allowed_hosts": ['["https://openmicroscopy.org"]', '["example.org/x"]'],
    "omero.web.root_application": ["/gallery", "omero-gallery"],
    "omero.web.secure_proxy_ssl_header": ['["HTTP_X"]', '["X-Forwarded-Proto", "https"]', '["HTTP_X", "https", "a"]'],
    "omero.web.server_list": [
        "[]",
        '["localhost", 4064, "omero"]',
        '[["localhost"]]',
        '[["localhost", "ssl", "omero"]]',
        '[["localhost", 70000]]',
        '[["", 4064]]',
        '[["localhost", 4064, "omero", "more"]]',
        '[["localhost", true]]',
    ],
    "omero.web.session_cookie_age": ["0", "1d"],
    "omero.web.session_cookie_domain": ["https://example.org", "example.org/omero", ""],
    "omero.web.session_cookie_name": ["a b", "a;b", "é", ""],
    "omero.web.session_cookie_path": ["omero"],
    "omero.web.session_engine": ["django.contrib.sessions.backends.signed_cookies", "file"],
    "omero.web.sharing.twitter": ['["@example"]', '{"omero": 1}'],
    "omero.web.static_url": ["static/", "", "ftp://example.org/static/"],
    "omero.web.staticfile_dirs": ['"/opt/static"', '[["lab/", "/opt/lab"]]', '[["a", "b", "c"]]', "[{}]"],
    "omero.web.template_dirs": ["/opt/templates", '"/opt/templates"'],
    "omero.web.time_zone": ["Mars/Phobos", "Berlin", "europe/berlin", ""],
    "omero.web.top_logo": ["logo.png"],
    "omero.web.ui.metadata_panes": ['[{"name": "tag", "label": "Tags"}]', '[{"label": "Tags", "index": 1}]', '["tag"]'],
    "omero.web.ui.right_plugins": ['[["Label", "template.html"]]', '["Label", "template.html", "tab"]', "{}"],
    "omero.web.ui.top_links": [
        '[["Data"]]',
        '["Data", "webindex", {}]',
        '[["Data", {"view": "webindex"}]]',
        '[["Data", "webindex", "title"]]',
        '[["Data", {"viewname": "webindex", "query": {}}]]',
    ],
    "omero.web.upgrades.url": ["upgrade.example.org"],
    "omero.web.viewer.view": ["image_viewer", "omero-iviewer.views.index"],
    "omero.web.wsgi_timeout": ["-1"],
    "omero.web.wsgi_worker_class": ["gthread"],
    "omero.web.wsgi_workers": ["0", "auto"],
    "omero.web.x_frame_options": ["ALLOW-FROM https://example.org", "sometimes"],
}


def pairs(table: dict[str, list[str]]) -> list[tuple[str, str]]:
    """Names and values, one by one."""
    return [(name, value) for name, values in table.items() for value in values]


@pytest.mark.parametrize(("name", "value"), pairs(GOOD))
def test_taken(name: str, value: str) -> None:
    check_value(name, value)


@pytest.mark.parametrize(("name", "value"), pairs(BAD))
def test_refused(name: str, value: str) -> None:
    with pytest.raises(AdminError) as raised:
        check_value(name, value)
    assert raised.value.code == "value-invalid"
    assert raised.value.exit_status is ExitStatus.USAGE
    assert name in raised.value.message
    assert "\n" not in raised.value.message


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_each_is_described(setting: Setting) -> None:
    assert find_setting(setting.name) is setting
    assert setting.has_no_default or problem_with(setting.type, setting.default) is None
    assert setting.section == "Web"
    assert set(setting.affects) <= {"OMERO.web", "nginx"}
    assert setting.affects
    sentences = re.split(r"(?<=[.:;])\s", setting.description)
    assert setting.description.endswith(".")
    assert 1 <= len([sentence for sentence in sentences if sentence.endswith(".")]) <= 4


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_examples_are_given_and_fit(setting: Setting) -> None:
    needs_one = setting.default in ("", "None", "[]", "{}") and not setting.is_secret
    assert bool(setting.example) or not needs_one
    assert not setting.example or problem_with(setting.type, setting.example) is None
    assert setting.example != setting.default


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_descriptions_name_properties_that_exist(setting: Setting) -> None:
    mentioned = set(re.findall(r"omero\.(?:[a-z_]+\.)*[a-z_]+", f"{setting.description} {setting.obsolete}"))
    assert {name for name in mentioned if find_setting(name) is None} == set()


def test_what_does_nothing_any_more_says_so() -> None:
    obsolete = {setting.name: setting.obsolete for setting in SETTINGS if setting.obsolete}
    assert set(obsolete) == {
        "omero.web.pipeline_css_compressor",
        "omero.web.pipeline_js_compressor",
        "omero.web.pipeline_staticfile_storage",
        "omero.web.webgateway_cache",
    }
    assert all(reason.startswith("does nothing since OMERO.web ") for reason in obsolete.values())


def test_every_property_of_the_web_is_here() -> None:
    assert sorted(setting.name for setting in SETTINGS) == sorted(
        name for name in settings() if name.startswith("omero.web.")
    )


def test_secrets() -> None:
    assert {setting.name for setting in SETTINGS if is_secret(setting.name)} == {
        "omero.web.caches",
        "omero.web.databases",
        "omero.web.public.password",
        "omero.web.secret_key",
    }


def test_json_says_what_it_is_made_of() -> None:
    for setting in SETTINGS:
        if setting.kind is Kind.JSON:
            assert setting.type.words.startswith("JSON: "), setting.name


def json_values(table: dict[str, list[str]]) -> list[tuple[str, str]]:
    """Names and values of a table that are JSON, if not of the right form."""
    return [(name, value) for name, value in pairs(table) if value[:1] in ("[", "{") and '"' in value]


@pytest.mark.parametrize(("name", "value"), [*json_values(GOOD), *json_values(BAD)])
def test_another_reader_of_json_schema_agrees_on_the_form(name: str, value: str) -> None:
    setting = find_setting(name)
    assert setting is not None
    assert setting.type.form is not None
    form = dict(setting.type.form)
    Draft7Validator.check_schema(form)
    assert Draft7Validator(form).is_valid(json.loads(value)) is (value in GOOD.get(name, []))


def test_a_word_that_would_switch_off_is_refused_with_one_that_switches_on() -> None:
    with pytest.raises(AdminError) as raised:
        check_value("omero.web.secure", "yes")
    assert raised.value.message == "omero.web.secure is 'yes', but takes true or false"
