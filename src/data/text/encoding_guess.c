/* encoding_guess.c - which encoding bytes are in: each one's reading is priced in bits, character by character, by one
 * table, and the cheapest wins. Prices are rounded logarithms of shares in Chinese prose and verse of both scripts. */
#include <math.h>
#include <string.h>

#include "base/utf8.h"
#include "data/text/encoding.h"

enum {
    WINDOW = TG_GUESS_WINDOW, /* bytes looked at */
    HAN = 0x4e00, HAN_END = 0xa000,
    NONE = 28,        /* bits: bytes that are no character, */
    CONTROL = 24,
    RARE = 20,        /* private use, the supplementary planes, */
    OTHER = 6         /* any byte but printable ASCII, for "none of these" */
};

/* The commonest characters of prose, simplified and traditional, and of verse; `first` holds those commoner still. */
static const char first[] =
    "的一是不了在人有我他这個个们們中来來上大为為和国國地到以说說时時要就出会會可也你对對生能而子那得于於着著下自之年过過"
    "发發后後作里裡用道行所然家种種事成方多经經么麼去法学學如都同现現当當没沒动動面起看定天分还還进進好小部其些主样樣理心"
    "她本前开開但因只从從想实實日者意无無山風风月雲云春花水何不知此相見见君長长秋夜";
static const char second[] =
    "军軍力它与與把机機十民第公已工使情明性全三又关關点點正业業外将將两兩高间間由问問很最重并物手应應战戰向头頭文体體政美"
    "被利什二等产產或新己制身果加西斯话話合回特代内內信表化老给給世位次度门門任常先海通教儿兒原东東声聲提立及比员員解名真"
    "论論处處走义義各入几幾口认認条條平系气氣题題活尔爾更别別打女变變四神总總电電数數安少报報才结結反受目太量再感建务務做"
    "接必场場件计計管期市直德资資命金指克许許统統区區保至队隊形社便空决決治展马馬科司五基眼书書非则則听聽白却卻界达達光放"
    "强強即像难難且权權思王象完设設式色路记記南品住告类類求据據程北边邊死张張该該交规規万萬取拉格望觉覺术術领領共确確传傳"
    "师師观觀清今切院让讓识識候带帶导導争爭运運吗嗎呢吧啊喜欢歡爱愛谁誰怎哪请請谢謝您它吃喝写寫读讀语語言字词詞人工智"
    "青黄黃绿綠红紅寒暮落飞飛鸟鳥叶葉树樹草烟煙雨江河湖客愁酒独獨归歸千里百玉城楼樓亭台臺朝夕故古深幽闲閒静靜竹松柳梅桃"
    "李石林泉溪池舟船帆旅乡鄉梦夢泪淚醉歌舞琴诗詩题送别赠贈寄怀懷忆憶登临臨游遊寺僧仙龙龍凤鳳鹤鶴雁猿蝉蟬霜雪露霞星河汉漢"
    "尘塵衣冠剑劍弓塞胡兵将征帝皇宫宮殿恩臣侯公士宅园園田农農村家户戶窗帘簾灯燈影香满滿盡尽空余餘初晚晓曉晴阴陰阳陽暗远遠近"
    "孤双雙半落起坐卧臥行立望听闻聞语曲调調意心情恨悲笑忽犹猶岂豈莫休须須应曾未复復谁为若似自惟唯欲愿願能";

typedef struct prices { uint8_t han[HAN_END - HAN]; } prices;

static void set_price(prices *p, uint32_t code, int bits)
{
    if (code >= HAN && code < HAN_END && bits < p->han[code - HAN]) p->han[code - HAN] = (uint8_t)bits;
}

/* Hanzi of the first level, which both standards chose by use. */
static void price_level(prices *p, tg_encoding e, int first_lead, int last_lead, int first_trail)
{
    for (int lead = first_lead; lead <= last_lead; lead++)
        for (int trail = first_trail; trail < 0xff; trail++) {
            const char text[2] = {(char)lead, (char)trail};
            uint32_t code;
            if (tg_encoding_next(e, text, text + 2, &code) == 2) set_price(p, code, 13);
        }
}

static void price_list(prices *p, const char *list, int64_t bytes, int bits)
{
    for (const char *at = list, *end = list + bytes; at < end;) {
        uint32_t code = 0;
        at += tg_utf8_next(at, end, &code);
        set_price(p, code, bits);
    }
}

static void make_prices(prices *p)
{
    memset(p->han, 16, sizeof p->han);
    price_level(p, TG_GB18030, 0xb0, 0xd7, 0xa1); /* GB 2312's rows, not what GBK put between them */
    price_level(p, TG_BIG5, 0xa4, 0xc6, 0x40);
    price_list(p, second, sizeof second - 1, 9);
    price_list(p, first, sizeof first - 1, 7);
}

static int price_ascii(uint32_t code)
{
    if (code == '\n' || code == ' ' || (code >= '0' && code <= '9')) return 6;
    if ((code | 32) >= 'a' && (code | 32) <= 'z') return 6;
    return code == '\t' || code == '\r' || (code > ' ' && code < 0x7f) ? 8 : CONTROL;
}

/* Signs that Chinese texts are full of: quotes, dash, ellipsis; ideographic space to lenticular brackets; fullwidth. */
static bool is_chinese_sign(uint32_t code)
{
    switch (code) {
    case 0xb7: case 0x2014: case 0x2018: case 0x2019: case 0x201c: case 0x201d: case 0x2026:
    case 0xff01: case 0xff08: case 0xff09: case 0xff0c: case 0xff1a: case 0xff1b: case 0xff1f:
        return true;
    default: return code >= 0x3000 && code <= 0x3011 && code != 0x3004 && code != 0x3006;
    }
}

static int price_of(const prices *p, uint32_t code)
{
    static const struct { uint32_t end; int bits; } ranges[] = {
        {0xa0, CONTROL},    {0x250, 13},   {0x370, 16},      {0x530, 11},    /* Latin, marks, Greek and Cyrillic */
        {0x2000, 16},       {0x2700, 13},  {0x3000, 16},     {0x3040, 13},   /* other scripts, signs */
        {0x3100, 13},       {0x3400, 14},  {HAN, RARE},      {HAN_END, 0},   /* kana, bopomofo, hanzi */
        {0xac00, RARE},     {0xd7a4, 13},  {0xff00, RARE},   {0xfff0, 13},   /* Hangul, private use, fullwidth */
        {0x1f000, NONE - 4}, {0x1fb00, 16}, {0x110000, NONE - 4},            /* pictures, the rest */
    };
    if (code < 0x80) return price_ascii(code);
    if (code >= HAN && code < HAN_END) return p->han[code - HAN];
    if (is_chinese_sign(code)) return 7;
    int i = 0;
    while (code >= ranges[i].end) i++;
    return ranges[i].bits;
}

static int64_t price_text(const prices *p, tg_encoding e, const char *at, const char *end)
{
    int64_t bits = 0;
    while (at < end) {
        uint32_t code;
        int size = tg_encoding_next(e, at, end, &code);
        if (size < 0) break; /* cut: no error, no evidence */
        bits += size ? price_of(p, code) : NONE;
        at += size ? size : e == TG_UTF16LE || e == TG_UTF16BE ? 2 : 1;
    }
    return bits;
}

static int64_t price_other(const char *at, const char *end)
{
    int64_t bits = 0;
    for (; at < end; at++) {
        uint8_t byte = (uint8_t)*at;
        int price = byte < 0x80 ? price_ascii(byte) : OTHER;
        bits += price < CONTROL ? price : OTHER;
    }
    return bits;
}

/* 2^(-bits / 2), the same on every machine. */
static double weight(int64_t bits)
{
    return bits > 2000 ? 0 : ldexp(bits % 2 ? 0.70710678118654752 : 1.0, -(int)(bits / 2));
}

static tg_guess guess_by_price(const char *at, const char *end)
{
    prices p;
    int64_t bits[TG_ENCODINGS + 1], least;
    int best = 0;
    make_prices(&p);
    for (int e = 0; e < TG_ENCODINGS; e++) {
        bits[e] = price_text(&p, (tg_encoding)e, at, end);
        if (bits[e] < bits[best]) best = e;
    }
    bits[TG_ENCODINGS] = price_other(at, end);
    least = bits[best] < bits[TG_ENCODINGS] ? bits[best] : bits[TG_ENCODINGS];
    double sum = 0;
    for (int e = 0; e <= TG_ENCODINGS; e++) sum += weight(bits[e] - least);
    return (tg_guess){(tg_encoding)best, weight(bits[best] - least) / sum, false};
}

static bool guess_by_mark(const char *bytes, int64_t length, tg_guess *out)
{
    static const struct { const char *text; int size; tg_encoding e; } marks[] = {
        {"\xef\xbb\xbf", 3, TG_UTF8}, {"\xff\xfe", 2, TG_UTF16LE}, {"\xfe\xff", 2, TG_UTF16BE},
        {"\x84\x31\x95\x33", 4, TG_GB18030},
    };
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        if (length < marks[i].size || memcmp(bytes, marks[i].text, (size_t)marks[i].size) != 0) continue;
        bool utf32 = marks[i].e == TG_UTF16LE && length >= 4 && bytes[2] == 0 && bytes[3] == 0;
        *out = (tg_guess){marks[i].e, utf32 ? 0 : 1, true};
        return true;
    }
    return false;
}

/* Where a guess begins to look: the first byte that is not ASCII, or NUL; length if there is none. */
static int64_t first_odd(const char *bytes, int64_t length)
{
    int64_t i = 0;
    for (uint64_t word; length - i >= 8; i += 8) { /* a NUL borrows: 1 from each byte sets its high bit */
        memcpy(&word, bytes + i, 8);
        if ((word | (word - UINT64_C(0x0101010101010101))) & UINT64_C(0x8080808080808080)) break;
    }
    while (i < length && bytes[i] != 0 && (uint8_t)bytes[i] < 0x80) i++;
    return i;
}

/* Of ASCII, or its beginning. */
static tg_guess guess_seven(const char *bytes, int64_t length)
{
    const tg_encoding e = tg_encoding_seven(bytes, length < TG_GUESS_ROOM ? length : TG_GUESS_ROOM);
    return (tg_guess){e, e == TG_UTF8 ? 1 : 0.99, false};
}

tg_guess tg_encoding_guess(const char *bytes, int64_t length)
{
    tg_guess g = {TG_UTF8, 1, false};
    if (guess_by_mark(bytes, length, &g)) return g;
    int64_t start = first_odd(bytes, length);
    if (start == length) return guess_seven(bytes, length);
    start &= ~INT64_C(1); /* even, for UTF-16; a byte of ASCII more for the others */
    const char *at = bytes + start;
    int64_t count = length - start < WINDOW ? length - start : WINDOW;
    int64_t whole = count - tg_utf8_partial(at, count);
    if (whole > 0 && tg_utf8_check(at, whole) < 0 && !memchr(at, 0, (size_t)count)) {
        double doubt = 0.1;
        for (int64_t i = 0; i < whole && doubt > 1e-17; i++)
            if ((uint8_t)at[i] >= 0xc0) doubt *= 0.2;
        g.confidence = 1 - doubt;
        return g;
    }
    return guess_by_price(at, at + count);
}

/* It looks at a window behind the first odd byte; of what is before, TG_GUESS_LEAD bytes of ASCII stay, so that nothing later
 * is taken for a mark. */
tg_status tg_encoding_guess_parts(tg_guess_read *read, void *user, char *room, tg_guess *out, bool *ascii)
{
    enum { KEPT = TG_GUESS_WINDOW + TG_GUESS_LEAD };
    int64_t have = 0, odd = 0, got = 0;
    tg_guess of_ascii = {TG_UTF8, 1, false};
    for (bool begin = true;; begin = false) {
        tg_status status = read(user, room + have, TG_GUESS_ROOM - have, &got);
        if (status) return status;
        const bool last = have + got < TG_GUESS_ROOM;
        have += got;
        odd = first_odd(room, have);
        if (begin && odd == have) of_ascii = guess_seven(room, have);
        if (odd <= TG_GUESS_WINDOW || last) break;
        memmove(room, room + have - KEPT, KEPT);
        have = KEPT;
    }
    *ascii = odd == have && of_ascii.encoding == TG_UTF8;
    *out = odd == have ? of_ascii : tg_encoding_guess(room, have);
    return TG_OK;
}
