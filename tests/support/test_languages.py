"""Which language a message is written in, and what is said to who writes in another one."""

from __future__ import annotations

import pytest

from apps.support.replies.language import detect_language, unspoken_notice, written_language
from apps.support.words import languages

MESSAGES = [
    ("Wo ist meine Bestellung?", None, "de"),
    ("wo bleibt mein paket", "en", "de"),
    ("Ich möchte die Smart Watch zurückgeben", None, "de"),
    ("Kann ich meine Running Shoes noch umtauschen?", "en", "de"),
    ("Ist der Electric Kettle auf Lager?", None, "de"),
    ("Ich hätte gern den Garden Hose Set in green", "de", "de"),
    ("Wie lange kann ich zurückgeben?", "zh", "de"),
    ("meine E-Mail ist a@b.de", "de", "de"),
    # what is short, bare or a product's name keeps the language before
    ("ja", "de", "de"),
    ("ja bitte", "de", "de"),
    ("ok", "de", "de"),
    ("Hi", "de", "de"),
    ("ok thanks", "de", "de"),
    ("Smart Watch", "de", "de"),
    ("Noise Cancelling Headphones", "de", "de"),
    ("W1234567, 10115", "de", "de"),
    ("12345", "de", "de"),
    ("👍", "zh", "zh"),
    ("", None, "en"),
    ("where is my order", None, "en"),
    ("cancel my order please", "de", "en"),
    ("is it in stock in white", "de", "en"),
    ("Hi", None, "en"),
    ("return", None, "en"),
    ("no, the other one", "en", "en"),
    ("do u ship to germany", "en", "en"),
    ("What is your Rückgabe policy?", "en", "en"),
    ("I bought a 雨衣 last week and it leaks", None, "en"),
    ("my name is Jürgen Müller", "en", "en"),
    ("ship it to 12 Rue de la Paix, Paris", "en", "en"),
    ("how do I reset my password?", None, "en"),
    ("我的订单到哪了", None, "zh"),
    ("我想退 Smart Watch", None, "zh"),
    ("订单 W1234567 的 Electric Kettle 到了吗", "en", "zh"),
    ("訂單什麼時候到貨?", "en", "zh"),
    ("bonjour, où est ma commande?", None, "fr"),
    ("¿dónde está mi pedido?", "en", "es"),
    ("dov'è il mio ordine?", None, "it"),
    ("onde está o meu pedido?", None, "pt"),
    ("waar is mijn bestelling?", None, "nl"),
    ("gdzie jest moje zamówienie?", None, "pl"),
    ("siparişim nerede acaba?", None, "tr"),
    ("где мой заказ?", None, "ru"),
    ("注文はどこですか", None, "ja"),
    ("제 주문은 어디에 있나요?", None, "ko"),
    ("أين طلبي؟", None, "ar"),
]


@pytest.mark.parametrize(("text", "previous", "language"), MESSAGES)
def test_the_language_of_a_message(text: str, previous: str | None, language: str) -> None:
    assert written_language(text, previous) == language


def test_a_reply_is_in_a_language_that_is_spoken() -> None:
    assert detect_language("bonjour, où est ma commande?", "de") == "de"
    assert detect_language("bonjour, où est ma commande?", None) == "en"
    assert {detect_language(text, previous) for text, previous, _ in MESSAGES} == set(languages())


@pytest.mark.parametrize(
    ("code", "named"),
    [
        ("fr", "anglais, allemand et chinois"),
        ("es", "inglés, alemán y chino"),
        ("it", "inglese, tedesco e cinese"),
        ("pt", "inglês, alemão e chinês"),
        ("nl", "Engels, Duits en Chinees"),
        ("pl", "angielski, niemiecki i chiński"),
        ("tr", "İngilizce, Almanca ve Çince"),
        ("ru", "английский, немецкий и китайский"),
        ("ja", "英語、ドイツ語、中国語"),
        ("ko", "영어, 독일어, 중국어"),
        ("ar", "الإنجليزية، الألمانية والصينية"),
        ("sv", "English, German and Chinese"),
    ],
)
def test_the_spoken_languages_are_named_in_the_customers_own(code: str, named: str) -> None:
    assert named in unspoken_notice(code)
