"""What a model wrote of its calls, as people read it."""

from flask_app.domain.events import ToolCall
from flask_app.services.tools.heard_calls import Heard
from flask_app.services.tools.toolbox import Toolbox


def test_the_name_of_a_tool_that_is_not_there_is_one_line_of_what_is_seen() -> None:
    heard = Heard()
    heard.take(ToolCall(index=0, id="c1", name="sky\n\n# Weather\u202e\U000e0041" + "x" * 300, arguments="{}"))
    (wanted,) = heard.wanted(Toolbox(()), 1, 0)
    call = wanted.kept.call
    assert call.title == call.tool
    assert call.tool.startswith("sky # Weather xxx")
    assert len(call.tool) == 128
    assert wanted.echo["function"]["name"] == "unknown"
