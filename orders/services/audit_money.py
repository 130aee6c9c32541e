"""Invariants of money: the ledger, the transfers it came with, and what went back."""

from collections.abc import Mapping

from oms.kernel import audit

JOURNALS = ("orders_paymententry", "orders_accountentry")

CHECKS: Mapping[str, str] = {
    "order {}: {} yen are said to be paid, the ledger holds {}": """
        SELECT o.id, o.paid_amount, coalesce(sums.amount, 0)
          FROM orders_order o
          LEFT JOIN (SELECT order_id, sum(amount) AS amount FROM orders_paymententry GROUP BY 1) sums
            ON sums.order_id = o.id
         WHERE o.paid_amount <> coalesce(sums.amount, 0)""",
    "order {}: the ledger is at {} yen, below nothing": """
        SELECT id, paid_amount FROM orders_order WHERE paid_amount < 0""",
    "transfer {} of {} yen pays {}": """
        SELECT l.id, l.amount, sum(m.amount) FROM orders_bankline l JOIN orders_bankmatch m ON m.line_id = l.id
         WHERE m.undone_at IS NULL GROUP BY 1, 2 HAVING sum(m.amount) > l.amount""",
    "transfer {} is {}, its matches come to {} of {} yen": """
        SELECT l.id, l.state, coalesce(sum(m.amount), 0), l.amount
          FROM orders_bankline l LEFT JOIN orders_bankmatch m ON m.line_id = l.id AND m.undone_at IS NULL
         GROUP BY 1, 2, 4 HAVING (l.state = 'matched') <> (coalesce(sum(m.amount), 0) = l.amount)""",
    "bank match {} of {} yen stands in the ledger with {}": """
        SELECT m.id, m.amount, coalesce(e.amount, 0)
          FROM orders_bankmatch m
          LEFT JOIN orders_paymententry e ON e.key = 'bank:' || m.id
          LEFT JOIN orders_paymententry u ON u.key = 'bank:' || m.id || ':undone'
         WHERE m.order_id IS NOT NULL
           AND (coalesce(e.amount, 0) <> m.amount OR (m.undone_at IS NULL) <> (u.id IS NULL))""",
    "bank match {} of {} yen stands among the account's entries with {}": """
        SELECT m.id, m.amount, -coalesce(e.amount, 0)
          FROM orders_bankmatch m
          LEFT JOIN orders_accountentry e ON e.key = 'bank:' || m.id
          LEFT JOIN orders_accountentry u ON u.key = 'bank:' || m.id || ':undone'
         WHERE m.account_id IS NOT NULL
           AND (-coalesce(e.amount, 0) <> m.amount OR (m.undone_at IS NULL) <> (u.id IS NULL))""",
    "account entry {} stands on {} monthly bills": """
        SELECT x.accountentry_id, count(*)
          FROM orders_monthlybill_entries x JOIN orders_monthlybill b ON b.id = x.monthlybill_id
         WHERE b.voided_at IS NULL GROUP BY 1 HAVING count(*) > 1""",
    "refund {} of {} yen is done, the ledger gave back {}": """
        SELECT r.id, r.amount, -coalesce(e.amount, 0)
          FROM orders_refund r LEFT JOIN orders_paymententry e ON e.key = 'refund:' || r.id
         WHERE r.way <> 'void' AND r.amount > 0
           AND (r.state = 'done') <> (e.id IS NOT NULL AND e.amount = -r.amount)""",
    "order {}: {} yen came, refunds of {} yen stand against them": """
        SELECT r.order_id, e.received, r.given
          FROM (SELECT order_id, sum(amount) AS given FROM orders_refund
                 WHERE state IN ('due', 'done') AND way <> 'void' GROUP BY 1) r
          JOIN (SELECT order_id, sum(amount) AS received FROM orders_paymententry
                 WHERE kind NOT IN ('refund', 'waived', 'credited') GROUP BY 1) e USING (order_id)
         WHERE r.given > e.received""",
    "order {} stands on {} monthly bills": """
        SELECT i.order_id, count(*) FROM orders_monthlybillitem i JOIN orders_monthlybill b ON b.id = i.bill_id
         WHERE b.voided_at IS NULL AND i.credit_id IS NULL GROUP BY 1 HAVING count(*) > 1""",
    "monthly bill {} takes {} yen off, the ledger says {}": """
        SELECT i.bill_id, i.amount, e.amount
          FROM orders_monthlybillitem i
          LEFT JOIN orders_paymententry e ON e.key = 'credited:' || i.bill_id || ':' || i.credit_id
         WHERE i.credit_id IS NOT NULL AND e.amount IS DISTINCT FROM -i.amount""",
}


def violations() -> list[str]:
    """What is broken, in words; empty when all is well."""
    return [*audit.broken(CHECKS), *audit.unprotected_journals(JOURNALS)]
