# SPDX-License-Identifier: Apache-2.0
# souk.bash - completion of souk for bash
# shellcheck shell=bash

_souk_commands='launch exec logs queue cancel status ssh start stop down autostop cost offers quote catalog validate check doctor provider help'
_souk_common='--providers --provider-path --set --json -y --yes -v --verbose --debug -h --help'
_souk_task='-n --name --workdir --env --env-file --secret --secret-file --gpus --cpus --memory --num-nodes'

# The flags of a command, without the common ones.
_souk_flags()
{
	case $1 in
	launch)
		echo "-c --cluster -d --detach-run --down -i --idle-minutes-to-autostop --retry-until-up --race --plan" \
			"--dryrun -a --all --limit --explain --optimize --hours --quote --no-setup $_souk_task --instance-type --use-spot --no-use-spot" \
			"--infra --disk-size --disk-tier --image-id --ports --max-hourly-cost"
		;;
	exec) echo "-d --detach-run $_souk_task" ;;
	quote)
		echo "--hours --egress --optimize -a --all --limit --live -l --list --show --rm $_souk_task" \
			"--instance-type --use-spot --no-use-spot --infra --disk-size --disk-tier --image-id" \
			"--ports --max-hourly-cost"
		;;
	logs) echo "-f --follow --no-follow --status" ;;
	cancel | start | stop | down) echo "-a --all" ;;
	status) echo "-r --refresh" ;;
	cost) echo "-a --all --since --until --by" ;;
	provider)
		echo "--endpoint --machines --instance-type --region --only --calls --grace-ms --list --dir"
		;;
	doctor) echo "--region --tear-down --others -a --all" ;;
	ssh) echo "--rank" ;;
	autostop) echo "-i --idle-minutes --down --cancel" ;;
	catalog)
		echo "--provider --date --source-note -o --output --dry-run --skip-bad --verify"
		;;
	offers)
		echo "--infra --region --instance-type --arch --cpus --memory --max-price --spot" \
			"--all-regions --zones --sort --limit --csv --evidence"
		;;
	esac
}

_souk_clusters()
{
	souk status --names-only 2>/dev/null
}

_souk_providers()
{
	souk provider list 2>/dev/null | sed -e 1d -e 's/ .*//'
}

_souk_quotes()
{
	souk quote --list 2>/dev/null | sed -e 1d -e 's/ .*//'
}

# Words that begin with $cur.
_souk_words()
{
	local word

	for word in $1; do
		[[ $word == "$cur"* ]] && COMPREPLY+=("$word")
	done
}

# Task files, and folders on the way to them.
_souk_files()
{
	local file

	while IFS= read -r file; do
		[[ -d $file || $file == *.yaml || $file == *.yml ]] && COMPREPLY+=("$file")
	done < <(compgen -f -- "$cur")
	compopt -o filenames 2>/dev/null
}

_souk_any_files()
{
	local file

	while IFS= read -r file; do
		COMPREPLY+=("$file")
	done < <(compgen "$1" -- "$cur")
	compopt -o filenames 2>/dev/null
}

# Does flag $1 have a value?
_souk_has_value()
{
	[[ " -c --cluster --providers --infra --provider-path --workdir --env-file --secret-file --env \
		--secret --disk-tier --set -i --idle-minutes --idle-minutes-to-autostop -n --name --gpus \
		--cpus --memory --num-nodes --instance-type --disk-size --image-id --ports \
		--max-hourly-cost --region --max-price --sort --arch --limit --rank --hours --egress --optimize \
		--quote --show --rm --provider --date --source-note -o --output --endpoint --only --calls \
		--grace-ms --dir " == *[[:space:]]"$1"[[:space:]]* ]]
}

# The value of flag $1.
_souk_value()
{
	case $1 in
	-c | --cluster) _souk_words "$(_souk_clusters)" ;;
	--provider | --providers | --infra) _souk_words "$(_souk_providers)" ;;
	--by) _souk_words 'cluster provider region type market spell' ;;
	--sort) _souk_words 'price spot gpu-price vcpus memory name' ;;
	--arch) _souk_words 'x86_64 arm64' ;;
	--provider-path | --workdir | --dir) _souk_any_files -d ;;
	--env-file | --secret-file | -o | --output) _souk_any_files -f ;;
	--env | --secret) _souk_words "$(compgen -e)" ;;
	--disk-tier) _souk_words 'low medium high ultra best' ;;
	--optimize) _souk_words 'cost time' ;;
	--quote | --show | --rm) _souk_words "$(_souk_quotes)" ;;
	esac
}

# An argument: number $2 of command $1.
_souk_argument()
{
	case $1 in
	launch | quote | validate) _souk_files ;;
	exec) if [[ $2 == 0 ]]; then _souk_words "$(_souk_clusters)"; else _souk_files; fi ;;
	logs | queue | cancel | ssh) [[ $2 == 0 ]] && _souk_words "$(_souk_clusters)" ;;
	status | cost | start | stop | down | autostop) _souk_words "$(_souk_clusters)" ;;
	check | doctor) _souk_words "$(_souk_providers)" ;;
	catalog)
		if [[ $2 == 0 ]]; then
			_souk_words 'info update import rm'
		elif [[ " ${COMP_WORDS[*]} " == *' import '* ]]; then
			_souk_any_files -f
		else
			_souk_words "$(_souk_providers)"
		fi
		;;
	provider)
		if [[ $2 == 0 ]]; then
			_souk_words 'list info test new'
		elif [[ " ${COMP_WORDS[*]} " == *' test '* ]]; then
			_souk_words "$(_souk_providers)"
			_souk_any_files -f
		elif [[ " ${COMP_WORDS[*]} " != *' new '* ]]; then
			_souk_words "$(_souk_providers)"
		fi
		;;
	help) [[ $2 == 0 ]] && _souk_words "$_souk_commands" ;;
	esac
}

_souk()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local command='' word i n=0 value=0

	COMPREPLY=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		if [[ $word == -- ]]; then
			return
		elif ((value)); then
			value=0
		elif [[ $word == -* ]]; then
			_souk_has_value "$word" && value=1
		elif [[ -z $command ]]; then
			command=$word
		else
			((n++))
		fi
	done
	if ((value)); then
		_souk_value "$prev"
	elif [[ $cur == -* ]]; then
		_souk_words "$(_souk_flags "$command") $_souk_common"
		[[ -z $command ]] && _souk_words --version
	elif [[ -z $command ]]; then
		_souk_words "$_souk_commands"
	else
		_souk_argument "$command" "$n"
	fi
}

complete -F _souk souk
