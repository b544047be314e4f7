import pytest

from grpcwire.counters import Counters
from grpcwire.http.budget import Budget, BudgetExhausted


def test_an_overdrawn_budget_names_what_drew_on_it():
    counters = Counters()
    budget = Budget(2, counters)
    budget.charge("pings")
    budget.charge("pings")
    with pytest.raises(BudgetExhausted, match="too many: pings"):
        budget.charge("pings")

    assert counters.budget_exhausted == 1


def test_what_is_earned_can_be_spent_up_to_the_capacity():
    budget = Budget(10, Counters())
    budget.charge("resets", 8)
    budget.earn(5)
    assert budget.tokens == 7
    budget.earn(1000)
    assert budget.tokens == 10
