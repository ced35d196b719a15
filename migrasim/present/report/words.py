"""Words of the report, in English and traditional Chinese; simplified Chinese is made from it."""

from __future__ import annotations

from migrasim.core.language import Lang
from migrasim.present.language import COMMON, filled
from migrasim.present.punctuation import title_in

WORDS: dict[str, tuple[str, str]] = {
    **COMMON,
    # the head
    "title_run": ("{region}, {base}-{until}: {scenario}", "{region}，{base}-{until}年：{scenario}"),
    "title_comparison": (
        "{region}, {base}-{until}: {others} against {reference}",
        "{region}，{base}-{until}年：{others}與{reference}比較",
    ),
    "title_batch": ("{region}, {base}-{until}: {name}", "{region}，{base}-{until}年：{name}"),
    "subtitle": (
        "Report of migrasim {version}. An agent-based simulation of who would move to town; no forecast.",
        "migrasim {version} 報告。基於主體的遷移模擬，說明誰會進城鎮；並非預測。",
    ),
    "contents": ("Contents", "目錄"),
    "and": (" and ", "和"),
    # sections
    "sec_headline": ("In short", "概要"),
    "sec_levers": ("What was changed", "改變了什麼"),
    "sec_trajectory": ("The path, the record and the goals", "軌跡、公佈值與目標"),
    "sec_decomposition": ("What changed the rate", "率的變化來自何處"),
    "sec_counties": ("The counties", "各縣（市、區）"),
    "sec_costs": ("What it costs, and who pays", "成本與負擔"),
    "sec_groups": ("Who gains and who loses", "誰得誰失"),
    "sec_indicators": ("Other indicators", "其他指標"),
    "sec_assumptions": ("What is assumed, and where numbers come from", "假設與數據來源"),
    "sec_limits": ("What this cannot tell", "不能回答的問題"),
    "sec_again": ("How to make it again", "如何重現"),
    # headline
    "head_rate": (
        "{scenario}: in {until}, {rate}% of the residents live in towns and county seats, against {start}% in {base}.",
        "{scenario}：{until}年常住城鎮化率為{rate}%，{base}年為{start}%。",
    ),
    "head_people": (
        "That is {urban} urban residents, {change} since {base}; residents of villages change by {rural}, and "
        "{absent} registered people live outside the region ({absent_change}).",
        "城鎮常住人口{urban}，較{base}年{change}；鄉村常住人口變化{rural}；戶籍人口中有{absent}在區外（"
        "{absent_change}）。",
    ),
    "head_denominator": (
        "Of the {points} points by which the rate changes, {moves} come from moves between villages and towns "
        "inside and {away} from people who leave the region for elsewhere, return or arrive; the rest is births, "
        "deaths, relocation and villages that became towns.",
        "率的變化共{points}個百分點，其中{moves}來自區內鄉村與城鎮之間的遷移，{away}來自離開本區、返回與遷入；其餘"
        "為出生、死亡、避險搬遷與村改為鎮。",
    ),
    "head_target": (
        "Goal of {year}: {target}%. The run stands at {rate}%, {distance} points from it.",
        "{year}年目標{target}%；本次運行為{rate}%，相差{distance}個百分點。",
    ),
    "head_target_note": (
        "Goals are measured against and were never data. Coming near one is no evidence that the measures reach it.",
        "目標只作對照，從不作為數據；結果接近目標，不等於措施能達到目標。",
    ),
    "sure_none": (
        "How sure: this is one draw of luck with one value of every assumption, so no interval can be given. "
        "`--band` draws the assumed values, `migrasim compare --replications` draws luck.",
        "確定程度：僅一次抽取的運氣、每項假設各取一個值，無法給出區間。可用 `--band` 抽取假設值，用 `migrasim "
        "compare --replications` 抽取運氣。",
    ),
    "sure_band": (
        "How sure: over the range of its assumed values (5 to 95 percent of {drawn}) the rate of {until} lies "
        "between {low}% and {high}%, urban residents between {urban_low} and {urban_high}. The constants of the "
        "model are assumed, too, and stay fixed here.",
        "確定程度：在假設取值的範圍內（{drawn}結果的5%至95%），{until}年的率在{low}%至{high}%之間，城鎮常住人口在"
        "{urban_low}至{urban_high}之間。模型常數同為假設，此處不變。",
    ),
    "sure_fitted": (
        "How sure of the constants: over the vectors that the record does not rule out (5 to 95 percent of {drawn}) "
        "the rate of {until} lies between {low}% and {high}%, urban residents between {urban_low} and {urban_high}. "
        "This range is another one than that of the assumed values; they are not added up.",
        "常數的確定程度：在史料未排除的各組參數範圍內（{drawn}結果的5%至95%），{until}年的率在{low}%至{high}%之間，城鎮常住人口在"
        "{urban_low}至{urban_high}之間。此區間與假設取值的區間不同，兩者不相加。",
    ),
    "the_draws": ("the draws", "抽取"),
    "of_draws": ("{count} draws", "{count}次抽取"),
    "the_vectors": ("the vectors", "各組"),
    "of_vectors": ("{count} vectors", "{count}組"),
    "outside_band": (
        "In {count} of the {all} years this run itself lies outside that range: its ends are those of {drawn} only, "
        "and the ranges of the assumed values do not lie evenly about the values of the plan.",
        "{all}年中有{count}年本次運行落在該區間之外：區間端點僅由{drawn}得出，且假設值的範圍並非以規劃值為中心。",
    ),
    "outside_fitted": (
        "In {count} of the {all} years this run itself lies outside that range: it is of the vector that fits best, "
        "which need not be in the middle.",
        "{all}年中有{count}年本次運行落在該區間之外：本次運行取擬合最好的一組參數，它未必居中。",
    ),
    "batch_difference": (
        "{scenario} against {reference} in {until}, in {pairs} pairs of runs with the same luck, future and facts: "
        "{urban} urban residents{urban_interval}, {rate} points of the rate{rate_interval}.",
        "{until}年{scenario}與{reference}相比（{pairs}對隨機數、未來情形與事實取值相同的運行）：城鎮常住人口{urban}"
        "{urban_interval}，率{rate}個百分點{rate_interval}。",
    ),
    "head_difference": (
        "{scenario} against {reference} in {until}: {urban} urban residents{urban_interval}, {rate} points of the "
        "resident rate{rate_interval}, {absent} people away{absent_interval}.",
        "{until}年，{scenario}與{reference}相比：城鎮常住人口{urban}{urban_interval}，常住城鎮化率{rate}個百分點"
        "{rate_interval}，外出人口{absent}{absent_interval}。",
    ),
    "interval_words": (" (90% interval {low} to {high})", "（90%區間{low}至{high}）"),
    "head_chance": (
        "More urban residents than {reference} in {chance}.",
        "城鎮常住人口多於{reference}的情形：{chance}。",
    ),
    "head_paths": (
        "The rate of {until}: {rates}. It was {start}% in {base}.",
        "{until}年常住城鎮化率：{rates}；{base}年為{start}%。",
    ),
    "sure_pairs": (
        "How sure: intervals and chances tell what luck adds, over {pairs} pairs with the same luck. They do not "
        "hold what the assumptions leave open, which is more.",
        "確定程度：區間與次數只反映運氣（{pairs}對運行，隨機數相同），不含假設未定的部分，後者更大。",
    ),
    "sure_one_pair": (
        "How sure: one pair of runs was made, so that no interval can be given; `--replications` makes more.",
        "確定程度：僅一對運行，無法給出區間；可用 `--replications` 增加。",
    ),
    "head_batch": (
        "{scenario}: in {until} {rate}% of the residents live in towns and county seats, {urban} people",
        "{scenario}：{until}年常住城鎮化率{rate}%，城鎮常住人口{urban}",
    ),
    "head_batch_range": (
        " (over its runs {low} to {high}, {urban_low} to {urban_high})",
        "（各次運行為{low}至{high}，{urban_low}至{urban_high}）",
    ),
    "head_batch_start": ("The rate was {start}% in {base}.", "{base}年常住城鎮化率為{start}%。"),
    "sure_batch": (
        "How sure: numbers are means over the runs of a scenario, ranges go from the lowest to the highest of "
        "them ({runs} runs in all: other luck, futures or values of facts, as the experiment says). What no run "
        "varies is not in them.",
        "確定程度：數字為各情景全部運行的均值，區間為最低至最高（共{runs}次運行，隨機數、未來情形或事實取值按試驗"
        "設定變化）；未變化的因素不在其中。",
    ),
    "again_batch": (
        "Every run can be made again from its id; the experiment file makes all of them.",
        "每次運行都可由其編號重現；試驗文件可重現全部。",
    ),
    "head_changed": (
        "Levers that differ from the status quo ({changed}): {named}",
        "與現狀不同的槓桿（{changed}項）：{named}",
    ),
    "head_assumed": (
        "{assumed} of the {changed} levers that were changed stand at assumed values.",
        "改變了的{changed}項槓桿中，有{assumed}項為假設值。",
    ),
    "thousand": ("{number} thousand", "{number}千"),
    "wan": ("{number} ×10,000", "{number}萬"),
    # levers
    "levers_note": (
        "Only levers that differ from the status quo of 2020, in the plan's own groups. Counts are totals of the "
        "region, everything else means over the counties. “assumed” says that the plan gives no figure.",
        "只列與2020年現狀不同的槓桿，按規劃分組。數量為全區合計，其餘為各縣平均。「假設」表示規劃沒有給出數字。",
    ),
    "no_levers": ("No lever differs from the status quo of 2020.", "沒有槓桿與2020年現狀不同。"),
    "bounds": ("Bounds", "範圍"),
    "plan_says": ("The plan says ({chapter})", "規劃原文（{chapter}）"),
    "by_county": ("differs by county", "各縣不同"),
    "own_value": ("set by the scenario", "情景自定"),
    "unknown_lever": ("unknown to this version", "本版本未知"),
    "range": ("Range", "區間"),
    # charts
    "chart_trajectory": ("Urbanization rates, the published record and the goals", "城鎮化率、公佈值與目標"),
    "chart_urban_line": ("Urban residents", "城鎮常住人口"),
    "chart_absent_line": ("Registered people away", "外出戶籍人口"),
    "chart_decomposition": ("Sources of the change of the resident rate", "常住城鎮化率變化的來源"),
    "chart_decomposition_span": (
        "Sources of the change of the resident rate, {first} to {last}",
        "常住城鎮化率變化的來源，{first}至{last}年",
    ),
    "chart_map": ("Schematic map of the counties", "各縣示意圖"),
    "chart_costs": ("Cost by payer", "各方負擔的成本"),
    "chart_costs_years": ("Cost of the measures by payer, year by year", "各方負擔的措施成本（逐年）"),
    "chart_costs_sum": (
        "Cost of the measures by payer, {first} to {last}",
        "各方負擔的措施成本，{first}至{last}年合計",
    ),
    "chart_groups": ("Groups who gain and lose", "各組得失"),
    "chart_groups_pair": (
        "Households better and worse off in {year}: {scenario} against {reference}",
        "{year}年境況變好與變差的家庭：{scenario}與{reference}比較",
    ),
    "chart_groups_run": ("Welfare by group, {first} and {last}", "各組福利，{first}年與{last}年"),
    "people_axis": ("thousand people", "萬人"),
    "real_axis": ("100 million yuan of 2020", "億元（2020年價格）"),
    "nominal_axis": ("100 million yuan, prices of each year", "億元（當年價格）"),
    "welfare_axis": ("thousand yuan of 2020 a year per equivalent member", "千元/年（2020年價格，等值人均）"),
    "welfare_nominal_axis": (
        "thousand yuan a year per equivalent member, prices of each year",
        "千元/年（當年價格，等值人均）",
    ),
    "households_axis": ("% of the households", "佔家庭的百分比"),
    "gain_share": ("more than 1% better off", "變好1%以上"),
    "lose_share": ("more than 1% worse off", "變差1%以上"),
    "map_rate": ("Resident rate {year}: {scenario}", "{year}年常住城鎮化率：{scenario}"),
    "map_change": ("Change of urban residents {first}-{last}, thousand", "城鎮常住人口變化，{first}-{last}年（萬人）"),
    "map_difference": (
        "Urban residents {year} against {reference}, thousand",
        "{year}年城鎮常住人口與{reference}之差（萬人）",
    ),
    "county_cost_yuan": ("county governments", "縣級政府"),
    "higher_cost_yuan": ("higher governments", "上級政府"),
    "enterprise_cost_yuan": ("enterprises", "企業"),
    "household_cost_yuan": ("households", "居民"),
    "collective_cost_yuan": ("collectives", "集體經濟組織"),
    "dots_fitted": (
        "dotted: 5 to 95% of {drawn} of fitted facts",
        "點線：{drawn}擬合參數結果的5%至95%",
    ),
    "shade_band": ("shaded: 5 to 95% of {drawn} of assumed values", "陰影：假設取值{drawn}結果的5%至95%"),
    "shade_runs": ("mean; shaded: lowest to highest of {runs} runs", "均值；陰影：{runs}次運行的最低至最高"),
    "source_line": (
        "Source: migrasim {version}, {run}, seed {seeds}; sixth and seventh census and bulletins.",
        "來源：migrasim {version}，{run}，種子{seeds}；第六、七次人口普查及統計公報。",
    ),
    "sample_short": ("Sample of {share} of the households.", "{share}家庭抽樣。"),
    # captions
    "cap_trajectory": (
        "Resident rate: people who live in towns and county seats over all residents. Registered rate: people "
        "registered at an urban address over all registered. Dots: published. Stars: goals of the plan.",
        "常住城鎮化率：居住在鎮和縣城的人口佔常住人口之比。戶籍城鎮化率：城鎮戶籍人口佔戶籍人口之比。圓點：公佈值"
        "。星號：規劃目標。",
    ),
    "cap_people": (
        "Stands beside the rate on purpose: a rate also rises when the countryside empties. From 2010 to 2020 "
        "towns gained 231 thousand people while villages lost 450 thousand.",
        "特意與率並列：鄉村人口外流也會使率上升。2010至2020年城鎮增加23.1萬人，鄉村減少45.0萬人。",
    ),
    "cap_decomposition": (
        "The parts add up to the change to the last digit. People leaving the villages for outside raise the rate "
        "without one more urban resident.",
        "各項之和等於率的變化，分毫不差。鄉村人口離開本區會抬高率，而城鎮人口並未增加。",
    ),
    "cap_map": (
        "Schematic: the cells are drawn around the county seats and are no administrative boundaries.",
        "示意圖：以縣城為中心劃分，並非行政界線。",
    ),
    "cap_costs": (
        "Costs of the measures only, not whole budgets. The share of households is what they pay themselves.",
        "僅為措施的成本，並非全部預算。居民部分為其自付。",
    ),
    "cap_groups_pair": (
        "Welfare is income after rent and living cost per equivalent member. Households that are in both runs with the "
        "same members; first pair of runs. Fifths of income are those of the base year; age is that of a household's "
        "oldest member of working age (of the oldest where nobody is), schooling that of its most schooled member.",
        "福利為扣除房租與生活成本後的等值人均收入。僅計兩次運行中都存在且成員相同的家庭；取第一對運行。收入五等分按基準年；"
        "年齡為家庭中勞動年齡最長者的年齡（無勞動年齡者取最年長者），學歷為家庭中最高者的學歷。",
    ),
    "cap_groups_run": (
        "Welfare is income after rent and living cost per equivalent member; fifths of that year. Age is that of a "
        "household's oldest member of working age (of the oldest where nobody is), schooling that of its most schooled "
        "member; students who live by themselves, for whom their families pay, are left out. A single run "
        "tells how groups fare, not who gains by a measure: `migrasim compare` does.",
        "福利為扣除房租與生活成本後的等值人均收入；收入五等分按當年。年齡為家庭中勞動年齡最長者的年齡（無勞動年齡者取最年長者），"
        "學歷為家庭中最高者的學歷；獨自居住的學生由家庭供養（模型不計），不計入。單次運行只顯示各組境況，不能說明誰因措施得益"
        "；請用 `migrasim compare`。",
    ),
    # tables
    "unit_beside": ("{what} ({unit})", "{what}（{unit}）"),
    "tab_counties": (
        "Resident rate and urban residents of the counties, {first} and {last}",
        "各縣常住城鎮化率與城鎮常住人口，{first}年與{last}年",
    ),
    "tab_indicators": ("Other indicators of the whole region", "全區其他指標"),
    "welfare_unit": (
        "welfare in yuan of 2020 a year per equivalent member",
        "福利單位為元/年，2020年價格，等值人均",
    ),
    "welfare_unit_nominal": (
        "welfare in yuan a year per equivalent member, prices of each year",
        "福利單位為元/年，當年價格，等值人均",
    ),
    "scenario": ("Scenario", "情景"),
    "target": ("Goal %", "目標 %"),
    "rate_of": ("Resident rate {year}, %", "{year}年常住城鎮化率 %"),
    "urban_of": ("Urban residents {year}", "{year}年城鎮常住人口"),
    "item": ("Measure", "措施"),
    "citizenization.services": ("Services for new residents", "新市民公共服務"),
    "three_rights.exit": ("Payment for rights given up", "退出三權補償"),
    "payer_total": ("All", "合計"),
    "cost_items": (
        "The largest costs by measure, sum of {first}-{last}, million yuan ({prices})",
        "成本最高的措施，{first}-{last}年合計，百萬元（{prices}）",
    ),
    "prices_2020": ("prices of 2020", "2020年價格"),
    "prices_nominal": ("prices of each year", "當年價格"),
    "per_resident": (
        "Public cost per additional urban resident, {first}-{last}: {yuan} yuan, {prices} ({scenario}).",
        "每新增一名城鎮常住人口的公共成本，{first}-{last}年：{yuan}元，{prices}（{scenario}）。",
    ),
    "unpaid": (
        "{scenario}: counties could not pay for {yuan} million yuan ({prices}) of building; it was not built.",
        "{scenario}：縣級財政無力支付{yuan}百萬元（{prices}）建設支出，相應項目未建成。",
    ),
    # assumptions
    "assumptions_note": (
        "Every number of the model has a status and a source. First the costs and values of the levers that were "
        "changed, then all facts that are uncertain, with the value used.",
        "模型的每個數字都有依據與來源。先列改變了的槓桿的取值與成本，再列所有不確定的事實及所用取值。",
    ),
    "assumed_levers": ("Values of the levers that were changed", "改變了的槓桿的取值"),
    "assumed_costs": ("Costs of the levers that were changed", "改變了的槓桿的成本"),
    "assumed_facts": ("Facts that are uncertain", "不確定的事實"),
    "other_values": ("Facts that stand at other values than usual", "取值與通常不同的事實"),
    "usual": ("Usual", "通常取值"),
    "payer": ("Who pays", "支付方"),
    "government": ("government", "政府"),
    "enterprise": ("enterprise", "企業"),
    "household": ("household", "居民"),
    "once": ("once", "一次性"),
    "yearly": ("yearly", "每年"),
    "table_value": ("table", "分類取值"),
    # again
    "again_command": (
        "With the same version this command gives the same numbers:",
        "同一版本下，以下命令得到相同的數字：",
    ),
    "again_file": (
        "Save the following text as {file} in the folder where the command is given:",
        "請將以下文字另存為{file}，放在執行命令的文件夾中：",
    ),
    "again_parameters": (
        "Facts were given other values than the fact book's, which the command line does not take; from Python:",
        "部分事實的取值與事實簿不同，命令行不支持，請用Python：",
    ),
    "again_other_version": (
        "The run was made by version {old}, this report by version {new}; use the old one to get the same numbers.",
        "運行所用版本為{old}，本報告為{new}；欲得相同數字，請用舊版本。",
    ),
    "again_other_model": (
        "Scenario {scenario} of this version differs from the one that was run.",
        "本版本的情景{scenario}與所運行的不同。",
    ),
    "identity": ("Identity", "標識"),
    "run_id": ("Run", "運行編號"),
    "seeds": ("Seeds", "種子"),
    "sample": ("Share of households run", "抽樣比例"),
    "alternatives": ("Left out or put differently", "結構改動"),
    "versions": ("Versions", "版本"),
    "region_data": ("Region", "區域數據"),
    "none": ("none", "無"),
}  # fmt: skip

# what a reader must not take from the page; the long form is docs/limits.md
LIMITS: tuple[tuple[str, str], ...] = (
    (
        "It does not forecast. Incomes, births, pay on the coast and national policy decide as much as the plan does.",
        "不是預測。收入、生育、沿海工資與國家政策的影響不亞於規劃。",
    ),
    (
        "It does not say that a measure reaches a goal. 55 percent in 2025 and about 70 percent in 2035 continue "
        "the trend of 2014 to 2020.",
        "不表示某項措施能達到目標。2025年55%、2035年約70%是2014至2020年趨勢的延續。",
    ),
    (
        "A higher rate is no success by itself: it also rises when villagers leave the region. Read urban "
        "residents and people away beside it.",
        "率高不等於成功：鄉村人口離開本區也會使率上升。請同時看城鎮常住人口與外出人口。",
    ),
    (
        "How far the model reproduces the past is told by the notes at the top and by docs/limits.md and "
        "docs/validation.md; figures that were used to set constants cannot test it.",
        "模型重現過去的程度，見頁首的注意事項以及 docs/limits.md、docs/validation.md；用來設定常數的數字不能用來檢"
        "驗模型。",
    ),
    (
        "Most values of the plan's levers, most strengths and many costs are assumed, since nobody published them.",
        "規劃槓桿的多數取值、多數作用強度與許多成本為假設，因為沒有公佈的數字。",
    ),
    (
        "What people say they would do is not taken as what they do; effects measured elsewhere are not carried "
        "over at full size.",
        "意願不等於行為；其他地區測得的效應沒有按原大小照搬。",
    ),
    (
        "Jobs of the chains are set, not decided by firms; prices of dwellings follow occupancy alone; families "
        "decide as one and on what they see this year.",
        "產業鏈崗位是給定的，並非企業決策；房價只隨入住率變化；家庭作為整體、只依當年所見作出決定。",
    ),
    (
        "Single counties deserve less trust than the whole region, and places within a county less again.",
        "單個縣的結果不如全區可靠，縣內各地更不可靠。",
    ),
)


def word(key: str, lang: Lang, **values: object) -> str:
    """A phrase of the report in one language, filled."""
    return filled(WORDS[key], lang, **values)


def limits(lang: Lang) -> list[str]:
    """What the page cannot tell, a sentence each."""
    return [title_in({"en": english, "zh_hant": chinese}, lang) for english, chinese in LIMITS]
