"""What a user's query may and may not do."""

from __future__ import annotations

import duckdb
import pytest

from tests.files import empty
from workbench.errors import ValidationError
from workbench.store import Database, sandbox
from workbench.store.published import PUBLISHED, published
from workbench.store.sandbox import query, truncated
from workbench.store.sql_check import where_predicate
from workbench.store.sql_functions import AGGREGATE, SCALAR, TABLE, WINDOW


@pytest.fixture
def db(tmp_path, clock):
    with Database.open(empty(tmp_path / "team.duckdb"), clock=clock) as database:
        with database.write():
            database.execute("create table secret(id varchar, password_hash varchar)")
            database.execute("insert into secret values ('u', 'hash')")
            database.execute("create table rows_1 as select range as n, 'name ' || range as name from range(1000)")
            database.execute("create view sheet_flowers as select * from rows_1")
            database.execute("insert into settings values ('a', '1', 1, now()::timestamp, 'me')")
        yield database


GOOD = [
    "select count(*) from sheet_flowers",
    "from sheet_flowers",
    "SELECT Name, N FROM main.Sheet_Flowers WHERE n > ? ORDER BY 1 LIMIT 2 -- done",
    "with s as (select n % 3 as k from sheet_flowers) select k, count(*), list(k)[1] from s group by all having count(*) > 1",
    "with recursive r(i) as (select 1 union all select i + 1 from r where i < 5) select max(i) from r",
    "select n, row_number() over (partition by n % 2 order by n) from sheet_flowers qualify row_number() over (order by n) < 3",
    "select a.n from sheet_flowers a join sheet_flowers b using (n) where exists (select 1 from settings) and a.n in (1, 2)",
    "select * exclude (n) from sheet_flowers union all by name select key as name from settings",
    "select json_extract_string(value, '$'), value::varchar, try_cast(key as int), case when true then 1 end from settings",
    "select x, list_transform([1, 2], lambda v: v + 1) from range(3) t(x), unnest([1, 2])",
    "values (1, 'a'), (2, 'b')",
    "select date_trunc('month', updated_at), extract(year from updated_at), updated_at - interval 1 day from settings",
    "select 'a' ilike '%A%', now() from settings",
    "select quantile_cont(n, 0.5), histogram(n % 2), arg_max(name, n) from sheet_flowers",
    "select string_agg(name, ',' order by n) filter (n < 3) from sheet_flowers",
    "/* comment */ select 1;",
]


@pytest.mark.parametrize("sql", GOOD)
def test_ordinary_queries_run(db, sql):
    assert query(db, sql, [3] if "?" in sql else [], seconds=60).num_rows >= 1


HOSTILE = [
    "copy settings to '{dir}/out.csv'",
    "attach '{dir}/other.duckdb' as other",
    "detach team",
    "use memory",
    "set threads = 1",
    "reset threads",
    "pragma database_list",
    "call pragma_version()",
    "install httpfs",
    "load httpfs",
    "checkpoint",
    "vacuum",
    "export database '{dir}/x'",
    "explain analyze delete from settings",
    "execute x",
    "prepare x as delete from settings",
    "create table t(i int)",
    "create temp table t as select 1",
    "create macro f() as table delete from settings",
    "drop table settings",
    "alter table settings add column z int",
    "insert into settings values ('b', '1', 1, now(), 'x')",
    "update settings set key = 'z'",
    "delete from settings",
    "truncate settings",
    "merge into settings using settings s on true when matched then delete",
    "with x as (delete from settings returning *) select * from x",
    "with x as (insert into settings values ('b') returning *) select * from x",
    "with x as (update settings set key = 'z' returning *) select * from x",
    "select * from (with x as (delete from settings returning *) select * from x)",
    "select 1; delete from settings",
    "select 1; select 2",
    "select 1 /* ; */; -- \n drop table settings",
    "begin; select 1",
    "commit",
    "rollback",
    "",
    ";",
    "-- nothing",
    "select",
    "selct 1",
    "select * from secret",
    "select * from main.secret",
    "select * from team.main.settings",
    'select * from "SECRET"',
    "table secret",
    "from rows_1",
    "select (select password_hash from secret limit 1)",
    "select 1 where exists (from secret)",
    "select * from settings, lateral (select * from secret)",
    "select * from settings natural join secret",
    "select * from secret at (version => 1)",
    "with secret as (select 1) select * from secret, (select * from secret)",
    "select * from secret, (with secret as (select 1) select * from secret)",
    'with "x.csv" as (select 1) select * from "x.csv"',
    "with sqlite_master as (select 1) select * from sqlite_master, (from sqlite_master)",
    "select * from duckdb_tables()",
    "select * from duckdb_tables",
    "select * from duckdb_settings()",
    "select * from information_schema.tables",
    "select * from pg_catalog.pg_class",
    "select * from sqlite_master",
    "describe secret",
    "describe settings",
    "show tables",
    "select * from (show all tables)",
    "summarize secret",
    "pivot settings on key using count(*)",
    "select * from (pivot settings on key using count(*))",
    "with p as (pivot secret on id using count(*)) from p",
    "unpivot secret on id",
    "select * from query('delete from settings')",
    "select * from query_table('secret')",
    "select * from '{dir}/x.csv'",
    "select * from '{dir}/team.duckdb'",
    'select * from "team.duckdb"',
    "select * from read_blob('{dir}/team.duckdb')",
    "select * from read_text('/etc/passwd')",
    "select * from read_csv('/etc/passwd')",
    "select * from read_csv_auto('/etc/passwd')",
    "select * from read_parquet('{dir}/x.parquet')",
    "select * from parquet_scan('{dir}/x.parquet')",
    "select * from read_json('{dir}/x.json')",
    "select * from read_duckdb('{dir}/team.duckdb')",
    "select * from sniff_csv('/etc/passwd')",
    "select * from glob('*')",
    "select * from seq_scan('secret')",
    "select * from json_execute_serialized_sql('x')",
    "select * from duckdb_secrets()",
    "select * from pragma_table_info('secret')",
    "select * from system.main.glob('*')",
    "select * from test_all_types()",
    "select getvariable('x')",
    "select current_setting('threads')",
    "select GETENV('HOME')",
    "select getenv('HOME')",
    "select main.getvariable('x')",
    "select 'x'.getvariable()",
    "select write_log('x')",
    "select nextval('s')",
    "select setseed(0.5)",
    "select sleep_ms(10)",
    "select pg_sleep(10)",
    "select txid_current()",
    "select json_serialize_plan('select 1')",
    "select set_config('threads', '1', false)",
    "select * from settings order by getvariable('x')",
    "select * from settings limit (select count(*) from secret)",
    "select sum(n) over (order by (select count(*) from secret)) from sheet_flowers",
    "select sum(n) filter (getvariable('x') is null) from sheet_flowers",
    "select list_transform([1], lambda x: getvariable('x'))",
    "select columns(lambda c: getvariable(c) is null) from settings",
    "select key::varchar from settings group by getvariable('x'), key",
]


@pytest.mark.parametrize("sql", HOSTILE)
def test_hostile_queries_are_refused_and_change_nothing(db, sql, tmp_path):
    before = sorted(path.name for path in tmp_path.iterdir())
    with pytest.raises(ValidationError) as caught:
        query(db, sql.replace("{dir}", str(tmp_path)), seconds=5)
    assert caught.value.context["fields"][0]["field"] == "query"
    assert "password" not in str(caught.value).replace(sql, "")
    assert db.tuples("select key from settings") == [("a",)]
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_the_transaction_alone_stops_writing_too(db, monkeypatch):
    monkeypatch.setattr("workbench.store.sql_check.check_query", lambda *a, **k: None)
    with pytest.raises(ValidationError, match="read-only"):
        query(db, "with x as (delete from settings returning *) select * from x")
    assert db.value("select count(*) from settings") == 1


def test_refusals_name_what_is_published(db):
    with pytest.raises(ValidationError, match="'sheet_flowers'"):
        query(db, "select * from sheet_flower")
    with pytest.raises(ValidationError, match=r"Published: .*settings"):
        query(db, "select * from zzzzzz")
    with pytest.raises(ValidationError, match="line 2, column 6"):
        query(db, "select 1\nfrmo x y z")
    with pytest.raises(ValidationError, match="'date_trunc'"):
        query(db, "select date_trnc('month', updated_at) from settings")
    with pytest.raises(ValidationError, match="nmae"):
        query(db, "select nmae from sheet_flowers")
    with pytest.raises(ValidationError, match="begins with DELETE"):
        query(db, "delete from settings")


def test_time_and_rows_are_limited_and_nobody_else_suffers(db):
    with pytest.raises(ValidationError, match="longer than"):
        query(db, "select count(*) from range(100000000) a, range(100000) b", seconds=0.2)
    part = query(db, "select * from range(100000000)", max_rows=10, seconds=60)
    assert part.num_rows == 10
    assert truncated(part)
    assert not truncated(query(db, "select * from range(10)", max_rows=10))
    assert db.value("select count(*) from settings") == 1


def test_deep_and_long_texts_are_refused_not_crashed(db):
    for sql in (
        "select " + "+".join(["1"] * 30_000),
        "select " + "(" * 20_000 + "1" + ")" * 20_000,
        "select '" + "x" * 200_000 + "'",
    ):
        with pytest.raises(ValidationError):
            query(db, sql, seconds=60)


def test_allowed_replaces_the_published_names(db):
    assert query(db, "select count(*) as n from secret", allowed={"secret"}).to_pylist() == [{"n": 1}]
    with pytest.raises(ValidationError):
        query(db, "select count(*) from settings", allowed={"secret"})


def test_published_tables_come_with_columns_and_docs(db):
    listed = {entry["name"]: entry for entry in published(db)}
    assert "secret" not in listed
    assert "rows_1" not in listed
    assert [column["name"] for column in listed["sheet_flowers"]["columns"]] == ["n", "name"]
    assert all(entry["doc"] for entry in listed.values())
    assert set(listed) <= set(PUBLISHED) | {"sheet_flowers"}


def test_every_allowed_function_exists():
    known = {name for (name,) in duckdb.connect().execute("select distinct function_name from duckdb_functions()").fetchall()}
    assert (SCALAR | AGGREGATE | WINDOW | TABLE) - known - {"__postfix"} == set()


@pytest.mark.parametrize(
    "text",
    [
        "n > 3",
        "name ilike '%1%' or n in (1, 2)",
        "lower(\"name\") = 'x' -- because",
        "n between 1 and 2 and name is not null",
        "list_contains(list_transform([n], lambda v: v + 1), 2)",
        "case when n > 1 then true else false end",
        "/* why */ not (n = 1)",
    ],
)
def test_conditions_pass_and_stay_in_their_parentheses(db, text):
    condition = where_predicate(text, ["n", "name"])
    assert db.value(f"select count(*) from rows_1 where false and {condition}") == 0


@pytest.mark.parametrize(
    "text",
    [
        "",
        "true) or (true",
        "true; delete from settings",
        "true;",
        "true order by 1",
        "true limit 1",
        "true group by all",
        "true union select 1",
        "true -- \n) union (select 1",
        "true /*",
        "n = (select 1)",
        "exists (from secret)",
        "n in (select 1)",
        "password = 'x'",
        "secret.password = 'x'",
        "t.n = 1",
        "n = ?",
        "n = $1",
        "#1 = 1",
        "sum(n) over () > 1",
        "count(*) > 1",
        "getvariable('x') is null",
        "columns('n') > 1",
        "n > 1 qualify true",
    ],
)
def test_conditions_that_are_more_than_that_are_refused(text):
    with pytest.raises(ValidationError) as caught:
        where_predicate(text, ["n", "name"])
    assert caught.value.context["fields"][0]["field"] == "where"


def test_the_place_of_a_fault_is_counted_in_what_was_typed():
    with pytest.raises(ValidationError, match=r'near "select" \(line 1, column 11\)'):
        where_predicate("n > 3 and select 1", ["n"])


def test_an_unknown_column_gets_a_hint():
    with pytest.raises(ValidationError, match="'name'"):
        where_predicate("nmae = 'x'", ["n", "name"])


def test_a_condition_is_tried_on_its_table(db):
    assert sandbox.where_predicate(db, "n > 3", "rows_1") == "(n > 3\n)"
    for text in ("n > 'three'::date", "n.foo = 1", "_row > 1"):
        with pytest.raises(ValidationError) as caught:
            sandbox.where_predicate(db, text, '"rows_1"', field="filter")
        assert caught.value.context["fields"][0]["field"] == "filter"
