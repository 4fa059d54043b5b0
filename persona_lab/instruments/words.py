"""Lists of English words that the grammar of questionnaire items needs."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


BE_AND_DO = _words(
    """
    am are is was were be do does did have has had
    """
)
"""Forms of be, do and have."""

MODALS = _words(
    """
    can cannot could may might must should will would
    """
)
"""Verbs that have one form only."""

FINITE = MODALS | _words(
    """
    are aren't did do does doesn't has have is isn't was were
    """
)
"""Words that show where the verb of a sentence is."""

VERBS = BE_AND_DO | _words(
    """
    accept act add admire admit allow answer appear apply appreciate approach argue
    arrange arrive ask avoid become begin behave believe boast bother break bring build
    bully buy call care carry cause change chat cheat check choose collect come comfort
    comment compare compete complain complete comply consider control cook correct
    create criticize cry cut daydream deal decide defend demand depend describe dislike
    distrust draw dread dream drink drive eat enjoy exaggerate excel expect experience
    explain express fail fear feed feel fight fill find finish fix follow forget forgive
    generate get give go grant handle hate help hesitate hide hold hope ignore imagine
    insult introduce invent involve join judge jump keep know lack laugh lead learn
    leave let lie like listen live look lose love make manipulate mimic miss mix
    motivate move name need neglect notice obey obstruct offer organize overcome pack
    paint panic pay perceive perform persevere plan plant play point postpone praise
    prefer prepare pretend process procrastinate promise provide push put quit radiate
    rally reach react read realize rebel reflect regret rely remain remember repair
    reply resist respect rest return reveal rise run rush say scare see seek seem sell
    send serve settle share shirk show sing sit sleep soften speak spend stand start
    stay stick stop study succeed suffer supply survive suspect switch sympathize take
    talk teach tease tell tend think tire travel treat trust try turn understand use
    value visit vote wait walk want waste watch weigh win wish wonder work worry write
    yell yield
    """
)
"""Verbs that end like adjectives, or that are often second in "... and VERB"."""

NOUNS_TOO = _words(
    """
    act answer approach care cause change chat check comfort comment control cook cry
    deal demand draw dream drink drive experience fear fight fix hate help hope insult
    joy judge jump lack laugh lead lie look love move name need notice offer paint plan
    plant play point praise process promise push regret reply respect rest return rise
    run rush say scare share show sleep stand start stay stop study supply suspect
    switch talk tease travel treat trust try turn use value visit vote wait walk waste
    watch win wish wonder work worry
    """
)
"""Verbs that are as often nouns."""

PAST = _words(
    """
    became been bought broken brought came caught did done felt found gave gone got had
    kept knew left lost made meant met said saw spent taken thought told took was went
    were won
    """
)
"""Past forms and participles that do not end in -ed."""

ED_NOT_PAST = _words(
    """
    bleed breed exceed feed heed need proceed seed shed speed succeed
    """
)
"""Verbs that end in -ed without being past."""

ADVERBS = _words(
    """
    almost already also always even ever hardly just kind later maybe mostly much never
    not often only perhaps quite rarely rather really seldom simply so sometimes still
    then too usually very
    """
)
"""Adverbs that stand before a verb and do not end in -ly."""

LY_NOT_ADVERB = _words(
    """
    apply bully comply costly cowardly curly deadly early elderly family fly friendly
    imply likely lively lonely lovely manly motherly multiply only orderly rally rely
    reply saintly scholarly silly supply timely ugly unlikely womanly worldly
    """
)
"""Words in -ly that are no adverbs."""

CLAUSE = _words(
    """
    although as because how if that what when where which while who why
    """
)
"""Words that open a clause of its own."""

AFTER_OBJECT = _words(
    """
    a an and as at better for in less more or the to when with
    """
)
"""What follows "you" where it is an object ("you to ...")."""

BEFORE_OBJECT = _words(
    """
    about against around at behind between bother bothers by cause causes for from give
    gives help helps into let lets made make makes of tell tells to toward towards upon
    with
    """
)
"""What stands before "you" where it is an object ("to you")."""

STARTERS = _words(
    """
    a all an another both each emotions even every everybody everyone few he i i'd i'll
    i'm i've it it's life many money most my no nobody one other others our people she
    some somebody someone something that the their there these they things this those we
    """
)
"""First words of a sentence that has a subject of its own."""

OPENINGS = _words(
    """
    after although as at because before by during for if in on once overall since thanks
    unless until when whenever while with without
    """
)
"""First words of a sentence that opens with something else than its subject."""

AFTER_ADJECTIVE = _words(
    """
    about and at by for in of on or to toward towards with
    """
)
"""What follows an adjective that a list begins with ("Sensitive to ...")."""

ADJECTIVES = _words(
    """
    able afraid eager interested likely prone proud quick ready soft sure willing
    """
)
"""Adjectives that items begin with and that do not look like adjectives."""
