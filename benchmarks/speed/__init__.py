"""What throughput.py, growth.py, gpu.py and table.py are made of.

For several of them: ``figures`` (repeats, ratios, slopes), ``texts``, ``batches``, ``shapes``
(sizes of encoders, and the operations these take), ``machine``, ``peaks`` (matrix products),
``worker`` (a process for each contender), ``output``.

For throughput.py: ``contenders`` (the lines of its table), which are ``peers`` or ``ours``;
``run`` measures them; ``graphs`` writes what some of them load and ``files`` says where;
``choices`` takes back one choice at a time, ``parts`` shows where the time goes,
``rounding`` what int8 costs, and ``tool`` is the process that does these three.

For gpu.py: ``encoders``, ``fine_tuning``.

For table.py: ``throughput_table`` with its ``aims``, ``growth_table``, ``gpu_table``, all of
``markdown``. Results hold what was measured, round by round; ratios are taken in the tables.
"""
