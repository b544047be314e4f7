async def test_get_shows_the_task(run):
    await run("create", "buy milk")
    assert (await run("get", "1")).stdout == "Id  Text      Tags\n 1  buy milk\n"


async def test_json_is_what_create_answered(run):
    created = await run("create", "käse ✓\n", "-t", "home", "--json")
    assert (await run("get", "1", "--json")).stdout == created.stdout


async def test_an_unknown_id_is_exit_code_3(run):
    result = await run("get", "7")
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr == "taskctl: no task 7\n"
