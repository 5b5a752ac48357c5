// Items by what a reader types: every word must occur in title or id, whatever its case and accents.

/**
 * @param {{ids: (number|string)[], titles: string[]}} items of items.json
 * @returns {(text: string, most: number) => number[]} positions, those first whose title begins with the text
 */
export function searcher(items) {
  const texts = items.titles.map((title, position) => plain(`${title} ${items.ids[position]}`));
  return (text, most) => {
    const typed = plain(text).trim();
    const words = typed.split(/\s+/);
    if (typed === "") return [];
    const found = [...texts.keys()].filter((position) => words.every((word) => texts[position].includes(word)));
    const begins = found.filter((position) => texts[position].startsWith(typed));
    return [...new Set([...begins, ...found])].slice(0, most);
  };
}

function plain(text) {
  return text.normalize("NFD").replace(/\p{Diacritic}/gu, "").toLowerCase();
}
