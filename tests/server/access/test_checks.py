import base64

import pytest

from server.access.api_keys import make_key
from server.access.scopes import ANY_KEY, OPEN, SCOPES, scope_of
from server.app import create_app
from server.config import InvalidSettings, Settings
from tests.server.conftest import OBJECT, SHIPPED

ELSEWHERE = "0.0.0.0"  # noqa: S104  # nothing listens
MADE = {scope: make_key(f"only-{scope}", scope) for scope in SCOPES}
EXPIRED = make_key("old", "read", "2020-01-01")
KEYS = ";".join(line for _, line in [*MADE.values(), EXPIRED])
# One address of each scope, with what a key of that scope is answered.
PATHS = {
    "predict": ("POST", "/predict", 200),
    "read": ("GET", "/predictions", 200),
    "sql": ("GET", "/sql.json?q=SELECT 1", 200),
    "labels": ("POST", "/labels", 200),
    "admin": ("DELETE", "/predictions?id=nobody", 200),
}


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """A server beyond loopback with a key for each scope."""
    folder = tmp_path_factory.mktemp("keys")
    app = create_app(
        Settings(
            model=SHIPPED,
            database=folder / "predictions.duckdb",
            host=ELSEWHERE,
            keys=KEYS,
            cors_origins="https://lab.example.org",
            trusted_proxies="10.0.0.0/8",
            allowed_hosts="stars.example.org",
        )
    )
    yield app.test_client()
    app.extensions["sextant"].log.close()


def bearer(scope):
    return {"Authorization": f"Bearer {MADE[scope][0]}"}


def basic(name, key):
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{key}".encode()).decode()}


def ask(client, scope, headers):
    method, path, _ = PATHS[scope]
    body = {"predict": OBJECT, "labels": {"id": "a", "label": "STAR"}}.get(scope)
    return client.open(path, method=method, json=body, headers=headers)


def test_every_route_says_what_it_asks_of_a_key(app):
    scopes = {
        (rule.rule, rule.endpoint): scope_of(app.view_functions[rule.endpoint])
        for rule in app.url_map.iter_rules()
    }

    assert [route for route, scope in scopes.items() if scope is None] == []
    assert set(scopes.values()) == {*SCOPES, ANY_KEY, OPEN}
    assert {path for (path, _), scope in scopes.items() if scope == OPEN} == {
        "/static/<path:filename>",
        "/favicon.ico",
        "/health/live",
        "/health/ready",
        "/v2/health/live",
        "/v2/health/ready",
    }


def test_a_route_that_says_nothing_is_for_nobody(make_app):
    app = make_app()
    app.add_url_rule("/forgotten", view_func=lambda: "secret")

    assert app.test_client().get("/forgotten").status_code == 403


@pytest.mark.parametrize("has", SCOPES)
@pytest.mark.parametrize("wants", SCOPES)
def test_a_key_opens_what_its_scope_names_and_nothing_else(client, has, wants):
    answer = ask(client, wants, bearer(has))

    assert answer.status_code == (PATHS[wants][2] if has == wants else 403), answer.text
    if has != wants:
        assert answer.json["detail"].startswith(f"the key only-{has} may do {has}; ")
        assert f"the scope {wants}" in answer.json["detail"]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer sextant_wrong"},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer "},
        {"Authorization": f"Bearer {MADE['read'][1].split()[2]}"},
        {"Authorization": f"Token {MADE['read'][0]}"},
        {"Authorization": MADE["read"][0]},
        {"Authorization": "Basic ####"},
        {"Authorization": "Basic " + base64.b64encode(b"\xff:\xff").decode()},
        {"Authorization": f"Bearer {MADE['read'][0]}x"},
        {"Authorization": f"Bearer {'x' * 100_000}"},
        {"Authorization": f"bearer {MADE['read'][0].upper()}"},
        {"X-Api-Key": MADE["read"][0]},
    ],
)
@pytest.mark.parametrize("scope", SCOPES)
def test_without_a_key_that_is_known_nothing_is_answered(client, headers, scope):
    answer = ask(client, scope, headers)

    assert answer.status_code == 401
    assert answer.content_type == "application/problem+json"
    assert [each.split()[0] for each in answer.headers.getlist("WWW-Authenticate")] == [
        "Basic",
        "Bearer",
    ]
    assert MADE["read"][0] not in answer.text


def test_a_key_that_has_expired_is_told_so(client):
    answer = client.get("/predictions", headers={"Authorization": f"Bearer {EXPIRED[0]}"})

    assert answer.status_code == 401
    assert answer.json["detail"].startswith("the key old has expired: ")


def test_a_browser_sends_the_key_as_a_password(client):
    headers = basic("anyone", MADE["read"][0])

    assert client.get("/predictions", headers=headers).status_code == 200
    assert client.get("/predictions", headers=basic(MADE["read"][0], "")).status_code == 401


def test_under_v2_refusals_are_as_its_clients_read_them(client):
    answer = client.post("/v2/models/sdss/infer", json={"inputs": []})

    assert answer.status_code == 401
    assert answer.content_type == "application/json"
    assert answer.json["error"] == answer.json["detail"]


def test_health_is_told_to_anybody_under_any_name(client):
    for path in ("/health/live", "/health/ready", "/v2/health/live", "/v2/health/ready"):
        assert client.get(path, headers={"Host": "10-0-0-1.pod"}).status_code == 200


def test_what_is_not_there_is_told_to_those_alone_who_have_a_key(client):
    assert client.get("/nowhere").status_code == 401
    assert client.get("/nowhere", headers=bearer("labels")).status_code == 404
    assert client.put("/predict", headers=bearer("labels")).status_code == 405


def test_a_page_links_to_what_its_reader_may_see(client):
    html = {"Accept": "text/html"}

    reader = client.get("/predictions", headers=html | bearer("read")).text
    sql = client.get("/sql", headers=html | bearer("sql")).text

    assert 'href="/monitor"' in reader
    assert 'href="/sql"' not in reader
    assert 'href="/sql"' in sql
    assert 'href="/predictions"' not in sql


def test_a_page_offers_what_its_reader_may_do_and_says_how_a_key_is_sent(client):
    html = {"Accept": "text/html"}
    sent = client.post("/predict", json=OBJECT, headers=bearer("predict"))

    predicting = client.get("/", headers=html | bearer("predict")).text
    reading = client.get("/", headers=html | bearer("read")).text
    prediction = client.get(sent.headers["Location"], headers=html | bearer("read")).text

    assert "<button>Predict</button>" in predicting
    assert "predict \\\n  -H &#34;authorization: Bearer $SEXTANT_KEY&#34; \\\n  -H" in predicting
    assert "<button" not in reading
    assert 'class="truth"' not in prediction


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "document"}, 403),
        ({"Origin": "http://localhost"}, 200),
        ({"Origin": "http://localhost:81"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "https://lab.example.org", "Sec-Fetch-Site": "cross-site"}, 200),
        ({"Origin": "https://lab.example.org.evil.example"}, 403),
    ],
)
@pytest.mark.parametrize("scope", ["predict", "labels", "admin"])
def test_a_page_of_another_site_changes_nothing_with_a_key_that_is_not_its_own(
    client, headers, status, scope
):
    answer = ask(client, scope, headers | basic("x", MADE[scope][0]))

    assert answer.status_code == status


def test_a_link_from_elsewhere_opens_a_page_and_no_backup(client):
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "document"}
    image = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "image"}

    assert client.get("/sql?q=SELECT 1", headers=link | bearer("sql")).status_code == 200
    assert client.get("/sql?q=SELECT 1", headers=image | bearer("sql")).status_code == 403
    assert client.get("/predictions.csv", headers=image | bearer("read")).status_code == 403
    assert client.get("/backup.duckdb", headers=link | bearer("admin")).status_code == 403


def test_a_strange_host_is_refused_before_any_key_is_looked_at(client):
    answer = client.get("/predictions", headers={"Host": "evil.example"} | bearer("read"))

    assert answer.status_code == 403
    assert "list it in SEXTANT_ALLOWED_HOSTS" in answer.json["detail"]
    host = {"Host": "stars.example.org:8080"}
    assert client.get("/predictions", headers=host | bearer("read")).status_code == 200


def test_pages_of_a_listed_origin_may_ask_and_read(client):
    origin = {"Origin": "https://lab.example.org"}
    asked = {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization, content-type",
    }

    before = client.options("/predict", headers=origin | asked)
    answer = client.post("/predict", json=OBJECT, headers=origin | bearer("predict"))

    assert before.status_code == 204
    assert "Authorization" in before.headers["Access-Control-Allow-Headers"]
    for each in (before, answer):
        assert each.headers["Access-Control-Allow-Origin"] == "https://lab.example.org"
        assert "Origin" in each.headers["Vary"]
        assert "Access-Control-Allow-Credentials" not in each.headers
    assert answer.status_code == 200
    # Even so it is told what is wrong.
    refused = client.post("/predict", json=OBJECT, headers=origin)
    assert refused.status_code == 401
    assert refused.headers["Access-Control-Allow-Origin"] == "https://lab.example.org"


def test_no_other_origin_is_told_anything(client, make_app):
    foreign = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    plain = make_app().test_client()

    for asked in (client, plain):
        answer = asked.options("/predict", headers=foreign)
        assert answer.status_code == 403
        assert "Access-Control-Allow-Origin" not in answer.headers


def test_a_trusted_proxy_names_the_caller_the_host_and_the_prefix(client):
    told = {
        "X-Forwarded-For": "203.0.113.9",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "stars.example.org",
        "X-Forwarded-Prefix": "/sextant",
    }

    def page(address):
        headers = told | bearer("predict") | {"Accept": "text/html"}
        return client.get("/", headers=headers, environ_base={"REMOTE_ADDR": address}).text

    assert 'href="/sextant/"' in page("10.0.0.1")
    assert "https://stars.example.org/sextant/predict" in page("10.0.0.1")
    assert 'aria-current="page"' in page("10.0.0.1")
    assert "/sextant" not in page("203.0.113.9")
    assert "http://localhost/predict" in page("203.0.113.9")
    headers = told | bearer("read")
    document = client.get(
        "/openapi.json", headers=headers, environ_base={"REMOTE_ADDR": "10.0.0.1"}
    ).json
    assert document["servers"] == [{"url": "/sextant/"}]


def test_beyond_loopback_a_server_without_keys_does_not_start(tmp_path):
    settings = {"model": SHIPPED, "database": tmp_path / "predictions.duckdb"}

    with pytest.raises(InvalidSettings) as caught:
        create_app(Settings(host=ELSEWHERE, **settings))

    with pytest.raises(InvalidSettings, match="SEXTANT_TRUSTED_PROXIES: the server is reached"):
        create_app(Settings(trusted_proxies="127.0.0.1", **settings))
    assert "python -m server key" in str(caught.value)
    assert "SEXTANT_OPEN_TO_ALL=predict,read" in str(caught.value)
    assert not (tmp_path / "predictions.duckdb").exists()


def test_what_is_open_to_all_is_said_scope_by_scope(make_app):
    client = make_app(host=ELSEWHERE, open_to_all="predict").test_client()

    answers = {scope: ask(client, scope, {}).status_code for scope in SCOPES}

    assert answers == {"predict": 200, "read": 403, "sql": 403, "labels": 403, "admin": 403}
    assert client.get("/model").status_code == 200


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"open_to_all": "everything"}, "SEXTANT_OPEN_TO_ALL: 'everything' is none of"),
        ({"cors_origins": "*"}, "SEXTANT_CORS_ORIGINS"),
        ({"cors_origins": "https://a.example/x"}, "SEXTANT_CORS_ORIGINS"),
        ({"cors_origins": "null"}, "SEXTANT_CORS_ORIGINS"),
    ],
)
def test_a_setting_that_cannot_be_meant_stops_the_start(make_app, settings, message):
    with pytest.raises(InvalidSettings, match=message):
        make_app(**settings)


def test_the_document_says_what_key_an_operation_asks_for(client, make_app):
    document = client.get("/openapi.json", headers=bearer("labels")).json
    plain = make_app().test_client().get("/openapi.json").json

    assert document["paths"]["/predictions"]["delete"]["security"] == [
        {"bearer": ["admin"]},
        {"basic": ["admin"]},
    ]
    assert document["paths"]["/model"]["get"]["security"] == [{"bearer": []}, {"basic": []}]
    live = document["paths"]["/health/live"]["get"]
    assert live["security"] == []
    assert "401" not in live["responses"]
    assert "401" in document["paths"]["/predict"]["post"]["responses"]
    assert plain["paths"]["/predict"]["post"]["security"] == []
