"""What hostile models may write, one trick a case: families of names, each with its Markdown."""

from tests.e2e.corpus import embeds, formulas, links, markup, nestings, pictures, sizes, styles, text

FAMILIES: dict[str, dict[str, str]] = {
    "scripts": markup.SCRIPTS,
    "handlers": markup.HANDLERS,
    "svg": markup.SVG,
    "nestings": nestings.NESTINGS,
    "names": nestings.NAMES,
    "styles": styles.STYLES,
    "embeds": embeds.EMBEDS,
    "forms": embeds.FORMS,
    "schemes": links.SCHEMES,
    "disguises": links.DISGUISES,
    "pictures": pictures.PICTURES,
    "entities": text.ENTITIES,
    "controls": text.CONTROLS,
    "fences": text.FENCES,
    "formulas": formulas.FORMULAS,
    "sizes": sizes.SIZES,
    "slow searches": sizes.SEARCHES,
}
