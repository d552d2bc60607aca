"""Texts counted in a second, over a mixed corpus: ASCII, links, CJK, Thai, Hindi, Arabic, emoji.

Each text is counted once a round, so that nothing can be gained by remembering it. A round is one
pass of one counter, warm and on one core; rounds of all counters alternate with those of
twitter-text-parser, a test's peer, and the medians are compared. Prints a table on standard error
and JSON on standard output.
"""

from __future__ import annotations

import json
import random
import statistics
import sys
import time
import warnings
from collections.abc import Callable, Sequence

from postkit.limits.counters import CodePoints, Graphemes, Utf8Bytes, Utf16Units, Weighted
from postkit.limits.entities import EntityRules

TEXTS = 2000
ROUNDS = 9
SEED = 20261129
SHORTEST, LONGEST = 20, 500

WORDS: dict[str, tuple[str, str]] = {
    "English": (
        " ",
        "We ship a new version today and it reads your files twice as fast. Thanks to everyone "
        "who sent reports; the next one is planned for spring, if nothing burns (it won't).",
    ),
    "German": (
        " ",
        "Größer, schöner und natürlich für jeden: die neue Ausgabe liegt „heute“ in den Läden – "
        "über 200 Seiten für 5 €. Wir grüßen alle Leserinnen und Leser!",
    ),
    "Russian": (
        " ",
        "Сегодня мы выпускаем новую версию, которая читает файлы вдвое быстрее. Спасибо всем, "
        "кто присылал сообщения об ошибках; следующая выйдет весной.",
    ),
    "Chinese": (
        "",
        "今天 我们 发布 新 版本 ， 读取 文件 的 速度 提高 了 一倍 。 "
        "感谢 所有 提交 报告 的 朋友 ， 下一个 版本 计划 在 春天 推出 。",
    ),
    "Japanese": (
        "",
        "本日 、 新しい バージョン を 公開 しました 。 ファイル の "
        "読み込み が 二倍 速く なりました 。 報告 を くださった 皆さん 、 ありがとう ございます 。",
    ),
    "Korean": (
        " ",
        "오늘 새 버전을 공개합니다. 파일을 두 배 빠르게 읽습니다. 오류를 알려 주신 모든 분께 "
        "감사드립니다. 다음 버전은 봄에 나옵니다.",
    ),
    "Thai": (
        "",
        "วันนี้ เรา เปิดตัว รุ่น ใหม่ ซึ่ง อ่าน ไฟล์ ได้ เร็ว ขึ้น สอง เท่า ขอบคุณ ทุกคน ที่ ส่ง รายงาน มา "
        "รุ่น ต่อไป จะ ออก ใน ฤดูใบไม้ผลิ",
    ),
    "Hindi": (
        " ",
        "आज हम नया संस्करण जारी कर रहे हैं जो फ़ाइलों को दोगुनी तेज़ी से पढ़ता है। रिपोर्ट भेजने वाले सभी लोगों को "
        "धन्यवाद; अगला संस्करण वसंत में आएगा।",
    ),
    "Arabic": (
        " ",
        "نطلق اليوم إصدارًا جديدًا يقرأ الملفات بسرعة مضاعفة. شكرًا لكل من أرسل إلينا التقارير، "
        "والإصدار القادم سيصدر في الربيع إن شاء الله.",
    ),
}
EMOJI = (
    "😀",
    "🎉",
    "🚀",
    "👍🏽",
    "👩\u200d🚀",
    "👨\u200d👩\u200d👧\u200d👦",
    "🏳\ufe0f\u200d🌈",
    "🇩🇪",
    "🇯🇵",
    "❤\ufe0f",
    "1\ufe0f⃣",
    "👩🏻\u200d🤝\u200d👨🏿",
    "☀\ufe0f",
    "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
)
LINKED = (
    "https://example.com/{n}",
    "https://example.com/blog/2026/11/{n}?ref=feed&page=2#top",
    "docs.example.org/v{n}",
    "http://bücher.example.de/{n}",
    "https://example.jp/{n}",
    "@someone_{n}",
    "#launch{n}",
    "#新版{n}",
    "$ACME",
)


def corpus(size: int = TEXTS, seed: int = SEED) -> list[str]:
    """``size`` different texts of SHORTEST to LONGEST code points; the same for the same seed."""
    chance = random.Random(seed)
    texts: dict[str, None] = {}
    while len(texts) < size:
        space, words = WORDS[chance.choice(list(WORDS))]
        vocabulary = words.split()
        length = chance.randint(SHORTEST, LONGEST)
        entities, faces = chance.choice((0.0, 0.03, 0.08)), chance.choice((0.0, 0.0, 0.03, 0.1))
        text = ""
        while len(text) < length:
            dice = chance.random()
            if dice < entities:
                text += " " + chance.choice(LINKED).format(n=chance.randint(1, 99_999)) + " "
            elif dice < entities + faces:
                text += chance.choice(EMOJI) + space
            else:
                text += chance.choice(vocabulary) + space
        texts[text[:length].strip().ljust(SHORTEST, ".")] = None
    return list(texts)


def peer() -> Callable[[str], object]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from twitter_text import parse_tweet
    count: Callable[[str], object] = parse_tweet
    return count


def counters() -> dict[str, Callable[[str], object]]:
    links = EntityRules(
        bare_domains=True, mention="name", short_host="t.co", hashtags=True, cashtags=True
    )
    federated = EntityRules(unicode_paths=True, mention="name@host", hashtags=True)
    weighted = Weighted(
        ranges=((0, 4351, 100), (8192, 8205, 100), (8208, 8223, 100), (8242, 8247, 100)),
        default_weight=200,
        url_length=23,
        emoji_weight=200,
        rules=links,
        scale=100,
    )
    return {
        "weighted": weighted.count,
        "graphemes": Graphemes().count,
        "graphemes, links shortened": Graphemes(
            url_length=23, rules=federated, mention_local_only=True
        ).count,
        "code points, links shortened": CodePoints(url_length=23, rules=federated).count,
        "code points": CodePoints().count,
        "UTF-16": Utf16Units().count,
        "UTF-8": Utf8Bytes().count,
        "entities": links.detect,
    }


def rate(count: Callable[[str], object], texts: Sequence[str]) -> float:
    started = time.perf_counter()
    for text in texts:
        count(text)
    return len(texts) / (time.perf_counter() - started)


def main() -> None:
    texts = corpus()
    counts = counters() | {"twitter-text-parser": peer()}
    rates: dict[str, list[float]] = {name: [] for name in counts}
    for count in counts.values():
        rate(count, texts[:100])
    for round_number in range(ROUNDS):
        for name, count in counts.items():
            # The peer takes seconds for a round; three are enough to know it.
            if name != "twitter-text-parser" or round_number % 3 == 0:
                rates[name].append(rate(count, texts))
    medians = {name: statistics.median(found) for name, found in rates.items()}
    base = medians["twitter-text-parser"]
    for name, median in medians.items():
        sys.stderr.write(f"{name:30} {median:>10,.0f} texts/s  {median / base:>7.1f} x\n")
    figures = {
        "texts": len(texts),
        "code_points": sum(map(len, texts)),
        "rounds": ROUNDS,
        "texts_per_second": {name: round(median) for name, median in medians.items()},
        "times_the_peer": {name: round(median / base, 1) for name, median in medians.items()},
    }
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
