"""What ECR demands of a lifecycle policy (Amazon ECR user guide, "Lifecycle policy properties")."""

from __future__ import annotations

import json
from typing import Any

from syncer.sandbox.ecr.failures import invalid

MOST_RULES = 50
MOST_WILDCARDS = 4
ACTIONS = {"expire", "transition"}
AGES = {"sinceImagePushed", "sinceImagePulled", "sinceImageTransitioned"}


def check_policy(text: str) -> None:
    """Raise InvalidParameterException for a policy that the service would refuse."""
    try:
        rules: list[dict[str, Any]] = json.loads(text)["rules"]
        problem = _problem(rules)
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        raise _refused("the text is not a policy") from exc
    if problem:
        raise _refused(problem)


def _problem(rules: list[dict[str, Any]]) -> str:
    priorities = [rule["rulePriority"] for rule in rules]
    if not 1 <= len(rules) <= MOST_RULES:
        return f"a policy has 1 to {MOST_RULES} rules"
    if len(set(priorities)) != len(priorities) or min(priorities) < 1:
        return "rule priorities must be unique and at least 1"
    any_image = [rule["rulePriority"] for rule in rules if rule["selection"]["tagStatus"] == "any"]
    if any_image and any_image != [max(priorities)]:
        return "the rule for any image must have the highest rulePriority, and be the only one"
    return next((problem for rule in rules if (problem := _rule_problem(rule))), "")


def _rule_problem(rule: dict[str, Any]) -> str:
    selection, action = rule["selection"], rule["action"]["type"]
    if action not in ACTIONS:
        return f"unknown action {action!r}"
    return _tag_problem(selection) or _count_problem(selection, action)


def _tag_problem(selection: dict[str, Any]) -> str:
    status, named = selection["tagStatus"], selection.keys() & {"tagPatternList", "tagPrefixList"}
    if status not in {"tagged", "untagged", "any"}:
        return f"unknown tagStatus {status!r}"
    if len(named) != (1 if status == "tagged" else 0):
        return "tagged takes exactly one of tagPatternList and tagPrefixList, other tagStatus none"
    if any(pattern.count("*") > MOST_WILDCARDS for pattern in selection.get("tagPatternList", [])):
        return f"a pattern has at most {MOST_WILDCARDS} wildcards"
    return ""


def _count_problem(selection: dict[str, Any], action: str) -> str:
    kind, number = selection["countType"], selection["countNumber"]
    if kind not in AGES | {"imageCountMoreThan"}:
        return f"unknown countType {kind!r}"
    if not isinstance(number, int) or number < 1:
        return "countNumber is a positive integer"
    if (selection.get("countUnit") == "days") != (kind in AGES):
        return "countUnit is days with sinceImage…, and absent otherwise"
    if kind == "sinceImagePulled" and action != "transition":
        return "sinceImagePulled goes with transition only"
    if kind == "sinceImageTransitioned" and selection.get("storageClass") != "archive":
        return "sinceImageTransitioned goes with storageClass archive only"
    return ""


def _refused(problem: str) -> Exception:
    return invalid("LifecyclePolicyText", f"Lifecycle policy validation failure: {problem}")
