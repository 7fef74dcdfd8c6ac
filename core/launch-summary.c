/* SPDX-License-Identifier: Apache-2.0 */
/* launch-summary.c - the end of what the engine has told of a launch */
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

void souk_race_free(struct souk_race *race)
{
	size_t i;

	if (!race)
		return;
	for (i = 0; i < race->n; i++) {
		free(race->rows[i].provider);
		free(race->rows[i].region);
		free(race->rows[i].zone);
		free(race->rows[i].instance_type);
		free(race->rows[i].message);
	}
	free(race->rows);
	free(race);
}
