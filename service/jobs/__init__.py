"""Long work: rows in a database, a queue, and workers that may die at any time.

The row is the truth. A worker takes a job by writing its own name and a lease into the row,
renews the lease while it works, and writes results in the same transaction that checks the
name. So a job whose worker died is taken by another one when the lease has run out and goes
on after the last result that was written; and a worker that was only slow finds its name
gone and stops. The queue only tells workers that there is something to do: a message that is
lost or comes twice changes nothing.
"""
