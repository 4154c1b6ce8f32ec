/* table.c - tests of tables: what RFC 4180 and JSON leave open, and the n-th allocation that fails. */
#include "data/table.h"

#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "support/shared.h"
#include "test.h"

typedef struct got { tg_str rows; int64_t count, most; tg_table *table; } got;

static tg_status on_row(void *user, const char *text, int64_t length, const char *label)
{
    got *g = user;
    tg_str_add(&g->rows, "[");
    tg_str_add_n(&g->rows, text, length);
    if (label) tg_str_addf(&g->rows, "=%s", label);
    tg_str_add(&g->rows, "]");
    g->table->enough = ++g->count == g->most;
    return g->rows.failed ? TG_ENOMEM : TG_OK;
}

/* Rows of a text as "[text=label]..."; most 0: all. */
static tg_status read_rows(const char *text, const char *label, int64_t most, got *g)
{
    tg_table t = {.name = "t", .column = "a", .label = label, .row = on_row, .user = g};
    *g = (got){.most = most, .table = &t};
    return tg_table_read(&t, text, (int64_t)strlen(text));
}

static void gives(const char *text, const char *label, const char *rows)
{
    got g;
    tg_status status = read_rows(text, label, 0, &g);
    if (status) test_failed(__FILE__, __LINE__, "%s: %s", text, tg_error());
    test_equal_text(__FILE__, __LINE__, text, g.rows.data ? g.rows.data : "", rows);
    tg_str_free(&g.rows);
    CHECK_INT(tg_alloc_live(), 0);
}

static void refuses(const char *text, const char *label, tg_status status, const char *says)
{
    got g;
    tg_status was = read_rows(text, label, 0, &g);
    if (was != status) test_failed(__FILE__, __LINE__, "%s: status %d, %s", text, (int)was, tg_error());
    test_has(__FILE__, __LINE__, tg_error(), says);
    tg_str_free(&g.rows);
    CHECK_INT(tg_alloc_live(), 0);
}

TEST(csv_fields_are_those_of_rfc_4180)
{
    gives("a,b\r\n1,2\r\n3,4\r\n", "b", "[1=2][3=4]");
    gives("b,a\n1,2\n3,4", "b", "[2=1][4=3]");         /* no newline at the end */
    gives("a,b\n,\n", "b", "[=]");                      /* empty cells are cells */
    gives("a,b\nx,", "b", "[x=]");
    gives("a\n\nx\n\r\ny\n", NULL, "[x][y]");           /* empty lines are no rows */
    gives("\"a\",b\n\"1,\"\"2\"\"\n3\",4\n", "b", "[1,\"2\"\n3=4]");
    gives("a,b\n\"\",\"\"\n\"\"\"\",\"\"\"\"\"\"\n", "b", "[=][\"=\"\"]");
    gives("a,b\r\n\"x\r\ny\",z\r\n", NULL, "[x\r\ny]"); /* a quoted line end stays what it is */
    gives("a,b\n5\" pipe,x\"y\"\n", "b", "[5\" pipe=x\"y\"]"); /* a quote inside an open field is a character */
    gives("a,b\n x , y \n", "b", "[ x = y ]");          /* spaces are part of a field */
    gives("\xef\xbb\xbf" "a,b\n1,2\n", "b", "[1=2]");   /* byte order mark */
    gives("a\tb,c\n1,5\t2\n", "b,c", "[1,5=2]");        /* a tab in the header: commas are text */
    gives("\"x\ty\",a\n1,2\n", NULL, "[2]");            /* unless it is quoted */
    gives("a;b\n1,5;2\n", "b", "[1,5=2]");
    gives("\"a\"\n\"x\"\n", NULL, "[x]");               /* and not JSON lines */
    gives("a", NULL, "");
    gives("", NULL, "");
    gives(" \n", NULL, "");
}

TEST(json_rows_are_objects_or_texts)
{
    gives("[]", NULL, "");
    gives(" [ {\"a\": \"x\", \"b\": \"[{,\\\"\"} , {\"b\": 1.50, \"a\": \"\\u6625\"}]\n", "b",
          "[x=[{,\"][\xe6\x98\xa5=1.5]");
    gives("{\"a\": \"x\"}\r\n\n{\"a\": null}\n", NULL, "[x][]");
    gives("\"x\"\n\"y\"", NULL, "[x][y]");
    gives("[\"x\", \"y\"]", NULL, "[x][y]");
    gives("[{\"a\": [\"x\", \"y\"], \"b\": false}]", "b", "[x\ny=false]");
    gives("{\n\"a\":\n\"x\"}", NULL, "[x]");
    gives("{\"a\": \"x\", \"b\": null}", "b", "[x=]");
}

TEST(tables_that_are_wrong_say_where)
{
    refuses("a,b\n1,2\n3\n", NULL, TG_EFORMAT, "t:3: 1 field, the header has 2");
    refuses("a,b\n\"1\n\n\",2\n3,4,5\n", NULL, TG_EFORMAT, "t:5: 3 fields");
    refuses("a,b\n1,\"2", NULL, TG_EFORMAT, "t:2: a quoted field begins here");
    refuses("a,b\n\"1\" ,2\n", NULL, TG_EFORMAT, "t:2: text behind");
    refuses("x,y\n", NULL, TG_EINVAL, "t:1: there is no column a; there are x, y");
    refuses("a,y\n", "z", TG_EINVAL, "no column z; there are a, y");
    refuses("a,z,z\n", "z", TG_EINVAL, "two columns z");
    refuses("a\nx\xff\n", NULL, TG_EINVAL, "t:2: not UTF-8");
    refuses("[{\"a\": 1},\n\n{\"b\": \"]}\\\"\"},\n{\"a\": 1}]", NULL, TG_EINVAL, "t:3: there is no column a");
    refuses("[[\"[\", {}], [1],\n{}]", NULL, TG_EFORMAT, "t:1: this row");
    refuses("[{\"a\": 1},\n\"x\",\n{}]", NULL, TG_EINVAL, "t:3: there is no column a; there are none");
    refuses("{\"a\": 1}\n{}", NULL, TG_EINVAL, "t:2: there is no column a");
    refuses("{\"a\": [1]}", NULL, TG_EINVAL, "t:1: column a holds a list of other things");
    refuses("[{\"a\": 1}", NULL, TG_EFORMAT, "t:1:10");
    refuses("1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22\n", NULL, TG_EINVAL, "19, 20, ...");
}

TEST(rows_end_where_enough_was_said)
{
    static const char *const texts[] = {"a\nx\ny\n\"never closed", "[\"x\", \"y\", 3]", "\"x\"\n\"y\"\n]"};
    for (int i = 0; i < 3; i++) {
        got g;
        CHECK_OK(read_rows(texts[i], NULL, 2, &g));
        CHECK_TEXT(g.rows.data, "[x][y]");
        tg_str_free(&g.rows);
    }
}

TEST(a_table_without_memory_is_an_error_and_no_leak)
{
    static const char *const texts[] = {"a,b\n\"x\"\"y\",2\n3,4\n", "[{\"a\": \"x\", \"b\": [\"y\", \"z\"]}]",
                                        "{\"a\": \"x\", \"b\": 1}\n{\"a\": 2, \"b\": \"y\"}\n", "b,c\n1,2\n"};
    for (int i = 0; i < 4; i++) {
        int n = 0;
        for (tg_status status = TG_ENOMEM; status == TG_ENOMEM;) {
            got g;
            tg_alloc_fail_at(++n, false);
            status = read_rows(texts[i], "b", 0, &g);
            tg_alloc_fail_at(0, false);
            tg_str_free(&g.rows);
            CHECK_INT(tg_alloc_live(), 0);
        }
        CHECK(n > 3);
    }
}

/* ---- what may be one */

static void looks(const char *text, const char *names)
{
    tg_str found = {0};
    CHECK_OK(tg_table_guess(text, (int64_t)strlen(text), true, &found));
    test_equal_text(__FILE__, __LINE__, text, found.length ? found.data : "", names);
    tg_str_free(&found);
}

TEST(tables_are_told_from_prose_with_commas)
{
    looks("n,t\n1,one\n2,two\n", "n, t");
    looks("\xef\xbb\xbf" "id,full text,stars\r\n1,\"He said \"\"no\"\", and\nleft\",5\r\n\r\n2,plain,1", "id, full text, stars");
    looks("id;text\n1;a\n2;b, c\n", "id, text");
    looks("id\ttext\n\ta\n2\tb\n", "id, text");
    looks("编号,标题\n1,春\n2,秋\n", "编号, 标题");
    looks("[{\"id\": 1, \"text\": \"}a, \\\" ]\"},\n {\"id\": 2}]", "id, text");
    looks("[{\"a\": 1}]", "a");
    looks("{\"text\": \"a\", \"id\": 7}\n{\"text\": \"b\"}\n", "text, id");
    looks("{\n  \"title\": \"x\",\n  \"lines\": [\"y\"]\n}\n", "title, lines");

    looks("", "");
    looks("n,t\n", "");
    looks("n,t\n1,one\n", "");
    looks("n,t\n1,one\n2,two,too\n", "");
    looks("Roses are red, violets blue\nSugar is sweet, and so are you\nHoney is gold, the sky is too\n", "");
    looks("Well,\nsaid he,\nno.\n", "");
    looks("Yes, he said.\nNo, she said.\nWell, they said.\n", "");
    looks("int a;\nint b;\nint c;\n", "");
    looks("x = f(a, b)\ny = f(b, c)\nz = f(c, d)\n", "");
    looks("1,2\n3,4\n5,6\n", "");
    looks("春眠不觉晓，处处闻啼鸟。\n夜来风雨声，花落知多少。\n", "");
    looks("[a note] {sic}\n", "");
    looks("[{not json}, {nor this}]\n", "");
    looks("{\\rtf1 some text}\n", "");
    looks("{\"a\": 1} is an object of JSON\n", "");
    looks("{% if x %}\n{% endif %}\n", "");
    looks("caf\xe9,t\n1,2\n3,4\n", "");
    CHECK_INT(tg_alloc_live(), 0);
}

TEST(a_table_is_told_by_its_beginning)
{
    static const char csv[] = "n,t\n1,one\n2,two\n3,\"three\nand\"\n", json[] = "[{\"n\": 1, \"t\": \"one\"}, {\"n\": 2}]";
    tg_str found = {0};
    for (int64_t n = 0; n < (int64_t)sizeof csv; n++) {
        CHECK_OK(tg_table_guess(csv, n, false, &found));
        CHECK_INT(found.length > 0, n >= 17); /* behind the second row, and the next has begun */
    }
    for (int64_t n = 0; n < (int64_t)sizeof json; n++) {
        CHECK_OK(tg_table_guess(json, n, false, &found));
        CHECK_INT(found.length > 0, n >= 22);
    }
    tg_str_free(&found);
}

TEST(an_object_before_a_nul_is_no_table)
{
    static const char text[] = "{\"a\": 1}\0{\"a\": 2}";
    tg_str found = {0};
    CHECK_OK(tg_table_guess(text, sizeof text - 1, true, &found));
    CHECK_INT(found.length, 0);
    tg_str_free(&found);
}

TEST(real_texts_are_no_tables)
{
    static const char *const names[] = {"text/tinyshakespeare.txt", "text/names.txt", "text/tang_poems.txt"};
    tg_str found = {0};
    for (int i = 0; i < 3; i++) {
        int64_t length;
        char *text = shared_text(names[i], &length);
        for (const char *at = text, *end = text; *at; at = end) { /* every paragraph may begin a file */
            end = strstr(at + 1, "\n\n");
            end = end ? end + 2 : text + length;
            CHECK_OK(tg_table_guess(at, end - at, true, &found));
            if (found.length) test_failed(__FILE__, __LINE__, "%s at %d: %s", names[i], (int)(at - text), found.data);
        }
        tg_free(text);
    }
    tg_str_free(&found);
}
