"""A restore and its undoing, in a scratch root: what was there before is there again, both ways."""

from tests.restore.site import Site, corrupt
from watchdog.restore.run import Helper
from watchdog.restore.state import ask


def test_an_approved_restore_puts_the_archive_back_and_its_undoing_takes_it_away_again(
    site: Site,
) -> None:
    good = site.look()
    archive = site.back_up()
    site.record(archive)
    corrupt(site.root)
    bad = site.look()
    plan = site.approved(archive)

    told = site.start(plan)

    assert told["outcome"] == "done", told
    assert told["people"] == ["ada", "grace"]
    restored = dict(site.look())
    assert restored.pop("srv/app/data/since")[4] != ""  # what the archive does not name stays
    assert restored == good

    ask(site.places, plan.id, "undo")
    told = site.start(plan)

    assert told["outcome"] == "undone", told
    assert site.look() == bad
    assert Helper(site.places, site.now).run(plan.id) == 0  # and again nothing
    assert site.look() == bad
