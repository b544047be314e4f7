import json

ID = "0b1f0b5e-3c6d-4a51-b0a5-6f3f0a1c2d3e"


async def test_create_shows_the_stored_task_as_a_table(run):
    result = await run("create", "buy milk", "-t", "home", "--tag", "shop")
    assert result.exit_code == 0
    assert result.stdout == "Id  Text      Tags\n 1  buy milk  home, shop\n"


async def test_json_is_one_object_on_one_line(run):
    created = await run("create", "käse ✓\n", "-t", "home", "--json")
    assert json.loads(created.stdout) == {"id": 1, "text": "käse ✓\n", "tags": ["home"]}
    assert created.stdout.count("\n") == 1


async def test_a_request_id_makes_a_repeated_create_store_once(run, fake):
    for _ in range(2):
        assert (await run("create", "milk", "--request-id", ID)).exit_code == 0
    assert len(fake.tasks) == 1


async def test_an_argument_that_is_no_text_is_refused(run, fake):
    result = await run("create", "\udcff")
    assert (result.exit_code, result.stderr) == (2, "taskctl: refused: text is not valid Unicode\n")
    assert fake.requests == []
