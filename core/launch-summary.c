/* SPDX-License-Identifier: Apache-2.0 */
/* launch-summary.c - the end of a summary that the engine has made */
#include <souk/souk.h>

#include <stdlib.h>

void souk_launch_summary_free(struct souk_launch_summary *summary)
{
	size_t i;

	if (!summary)
		return;
	for (i = 0; i < summary->n_texts; i++)
		free(summary->texts[i]);
	free(summary->texts);
	free(summary->tried);
	free(summary->advice);
	free(summary);
}
