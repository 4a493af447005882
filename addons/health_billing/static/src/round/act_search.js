const LIMIT = 10;

function plain(text) {
    return text
        .normalize("NFD")
        .replace(/\p{M}/gu, "")
        .toLowerCase();
}

/** "AMI 4,1" → ["ami", "4,1"]; "ami4" is read alike. */
function words(text) {
    return plain(text)
        .replace(/\./g, ",")
        .split(/\s+|(?<=[a-z])(?=\d)/)
        .filter(Boolean);
}

function coefficient(act) {
    const rest = act.coefficient % 100;
    const whole = Math.floor(act.coefficient / 100);
    return rest ? `${whole},${String(rest).padStart(2, "0").replace(/0$/, "")}` : String(whole);
}

/** How well one word fits an act: the lower the better, -1 not at all. */
function fit(act, word) {
    if (/^[\d,]+$/.test(word)) {
        const value = coefficient(act);
        return value === word ? 0 : value.startsWith(word) ? 1 : -1;
    }
    const letter = act.letter.toLowerCase();
    if (letter === word) {
        return 0;
    }
    if (letter.startsWith(word)) {
        return 1;
    }
    const at = plain(act.label).search(new RegExp(`\\b${word.replace(/[^a-z0-9]/g, ".")}`));
    return at < 0 ? -1 : 2;
}

/** Acts that fit every word typed, those usual for the patient first. */
export function searchActs(acts, favourites, text) {
    const wanted = words(text);
    const usual = new Map(favourites.map((id, rank) => [id, rank]));
    const found = [];
    acts.forEach((act, order) => {
        let score = 0;
        for (const word of wanted) {
            const one = fit(act, word);
            if (one < 0) {
                return;
            }
            score += one;
        }
        found.push({ ...act, isUsual: usual.has(act.id), rank: usual.get(act.id) ?? Infinity, score, order });
    });
    found.sort(
        (a, b) =>
            b.isUsual - a.isUsual ||
            (a.isUsual && a.rank !== b.rank ? a.rank - b.rank : 0) ||
            a.score - b.score ||
            a.order - b.order
    );
    return found.slice(0, LIMIT);
}
