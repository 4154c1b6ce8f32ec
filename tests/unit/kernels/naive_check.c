/* naive_check.c - every kernel of kernels.def, on every instruction set of this machine, over odd sizes: against plain
 * loops in double, and the same bits as the scalar table. A kernel that no probe runs fails. */
#include "support/probe.h"
#include "test.h"

#include <string.h>

TEST(products_are_those_of_plain_loops_and_the_same_on_every_isa) { probe_all(probe_products); }
TEST(cells_are_those_of_plain_loops_and_the_same_on_every_isa) { probe_all(probe_cells); }
TEST(element_and_row_kernels_are_those_of_plain_loops_and_the_same_on_every_isa) { probe_all(probe_elements); }

TEST(attention_kernels_are_those_of_plain_loops_and_the_same_on_every_isa) { probe_all(probe_attention); }

TEST(image_kernels_are_those_of_plain_loops_and_the_same_on_every_isa) { probe_all(probe_images); }

TEST(losses_of_numbers_are_those_of_formulas_and_the_same_on_every_isa) { probe_all(probe_likely); }

TEST(every_kernel_has_a_probe)
{
    static const char *const kernels[] = {
#define TG_KERNEL(result, name, arguments) #name,
#include "kernels/kernels.def"
#undef TG_KERNEL
    };
    static const probe_row *const all[] = {probe_products,  probe_cells,  probe_elements,
                                           probe_attention, probe_images, probe_likely};
    for (size_t i = 0; i < sizeof kernels / sizeof *kernels; i++) {
        bool found = false;
        for (size_t a = 0; a < sizeof all / sizeof *all; a++)
            for (const probe_row *row = all[a]; row->kernel && !found; row++)
                found = strcmp(row->kernel, kernels[i]) == 0;
        if (!found) test_failed(__FILE__, __LINE__, "kernel %s has no probe", kernels[i]);
    }
}

TEST(instruction_sets_that_were_compared_with_scalar)
{
    char text[64] = "";
    static const char *const isas[] = {"avx2", "avx512", "neon"};
    for (int i = 0; i < 3; i++)
        if (tg_kernels_named(isas[i])) strcat(strcat(text, " "), isas[i]);
    if (!*text) test_skip("no instruction set but scalar is here");
    test_note("compared:%s", text);
}
