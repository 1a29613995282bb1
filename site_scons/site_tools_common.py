# SPDX-License-Identifier: Apache-2.0
"""What the tools in site_tools share: stages as SCons actions."""

from SCons.Action import Action
from SCons.Errors import BuildError

from touchstone.errors import UserError
from touchstone.image import ImageError
from touchstone.job import JobError
from touchstone.stages import StageError

EXPECTED_ERRORS = (StageError, UserError, ImageError, JobError, OSError)


def stage_action(function, stage, varlist=(), quiet=False):
    """`function` as an action whose known errors become build errors with one clear line.

    `stage` names it in what is shown and in nodes.json; `quiet` ones are not shown.
    """

    def run(target, source, env):
        session = env["TS_SESSION"]
        session.note_built(stage, str(target[0]))
        start = session.elapsed()
        try:
            function(target, source, env)
        except EXPECTED_ERRORS as error:
            node = str(target[0])
            session.note_failure(node, str(error))
            if env.get("TS_STOP"):
                session.note_stop(node)
                env["TS_STOP"]()
            output = getattr(error, "output", "").strip()
            if output:
                session.say(output)
            return BuildError(node=target[0], errstr=str(error), status=2, exitstatus=2)
        finally:
            session.note_span(stage, str(target[0]), start)
        return None

    def show(target, source, env):
        return None if quiet else f"{stage} {target[0]}"

    return Action(run, strfunction=show, varlist=list(varlist))
