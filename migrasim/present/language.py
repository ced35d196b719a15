"""Words of the tables and figures, in English and Chinese."""

from __future__ import annotations

from collections.abc import Iterable

from migrasim.core.language import LANGS, Lang, simplified
from migrasim.present.punctuation import title_in

__all__ = [
    "COMMON",
    "LANGS",
    "PHRASES",
    "Lang",
    "component",
    "filled",
    "group",
    "phrase",
    "reason",
    "simplified",
    "title_in",
    "where",
    "words",
]

COMMON: dict[str, tuple[str, str]] = {  # words that more than one of the lists of words has
    "assumed": ("assumed", "假設"),
    "chart_people": ("Urban residents and people away", "城鎮常住人口與外出人口"),
    "component": ("Component", "來源"),
    "county": ("County", "縣（市、區）"),
    "difference": ("Difference", "差"),
    "estimated": ("estimated", "估計"),
    "fact": ("Fact", "事實"),
    "future": ("Future", "未來情形"),
    "group": ("Group", "組別"),
    "indicator": ("Indicator", "指標"),
    "lever": ("Lever", "槓桿"),
    "literature": ("literature", "文獻"),
    "million_yuan": ("million yuan of 2020", "百萬元（2020年價）"),
    "observed": ("observed", "實測"),
    "planned": ("planned", "規劃"),
    "points": ("percentage points", "百分點"),
    "published": ("Published %", "公佈值 %"),
    "source": ("Source", "來源"),
    "status": ("Status", "依據"),
    "status_quo": ("Status quo", "現狀"),
    "sum": ("Sum", "合計"),
    "target_line": ("target", "目標"),
    "unit": ("Unit", "單位"),
    "value": ("Value", "取值"),
    "year": ("Year", "年份"),
}

PHRASES: dict[str, tuple[str, str]] = {
    **COMMON,
    "key_indicators": ("Other indicators of the whole region", "全市其他指標"),
    "nominal_yuan": ("nominal yuan", "現價元"),
    "groups": (
        "Groups of households: people, where they live, welfare (income after rent and living cost, per equivalent "
        "member, {unit}); fifths of that year",
        "家庭分組：人口、居住地、福利；福利為扣除房租與生活成本後的等值人均收入，單位{unit}；收入五等分按當年",
    ),
    "groups_note": (
        "Groups are of whole households: age is that of the oldest member of working age (of the oldest where nobody "
        "is), not that of each person; schooling that of the most schooled member; county that of the registered "
        "address. Students who live by themselves are in no fifth and in no mean of welfare: their families pay for "
        "them, which is not followed.",
        "分組以家庭為單位：年齡指勞動年齡成員中最年長者（無勞動年齡成員時取最年長者），並非每個人的年齡；"
        "學歷取學歷最高的成員；縣（市、區）按戶籍所在地。獨自居住的學生由家庭供養（模型不計），不列入五等分和福利均值。",
    ),
    "fifths_note": (
        "The limits between the fifths of income are those of {base}: in later years a group may hold more or less "
        "than a fifth of the households.",
        "收入五等分以{base}年的界線劃分：其後各年每組未必為五分之一的家庭。",
    ),
    "persons": ("People", "人口"),
    "urban_percent": ("In town %", "在城鎮 %"),
    "away_percent": ("Away %", "在外 %"),
    "welfare": ("Welfare", "福利"),
    "chains": ("Industrial chains: people at work, output in 100 million yuan", "產業鏈：就業人數、產值（億元）"),
    "chain": ("Chain", "產業鏈"),
    "workers": ("Workers", "就業"),
    "output": ("Output", "產值"),
    "cluster": (
        "{year}: {reached} chains of {yuan} billion yuan and more, below the next size; the plan: {wanted}",
        "{year}年：{yuan}億元級產業鏈 {reached} 條；規劃目標 {wanted} 條",
    ),
    "trajectory": (
        "Trajectory {base}-{until}, scenario {scenario}, seed {seed}",
        "{base}-{until}年軌跡，情景 {scenario}，種子 {seed}",
    ),
    "figure": ("Urbanization of {region}, {base}-{until}", "{region}城鎮化軌跡，{base}-{until}年"),
    "resident_rate": ("Resident rate %", "常住城鎮化率 %"),
    "registered_rate": ("Registered rate %", "戶籍城鎮化率 %"),
    "urban_residents": ("Urban residents", "城鎮常住人口"),
    "residents": ("Residents", "常住人口"),
    "absent": ("Absent people", "外出人口"),
    "target": ("Target %", "目標 %"),
    "distance": ("To target, points", "與目標之差（百分點）"),
    "targets_of": ("targets of the plan {targets}", "規劃目標 {targets}"),
    "target_note": (
        "Targets are goals to measure against, never data that were fitted.",
        "目標只作衡量之用，從不作為擬合數據。",
    ),
    "decomposition": ("What changed the resident rate, percentage points", "常住城鎮化率變化的來源，百分點"),
    "sample_note": (
        "SAMPLE: {share} of the households were run; each counts for {weight}.",
        "抽樣：只運行了 {share} 的家庭，每戶代表 {weight} 戶。",
    ),
    "note": ("Note", "注意"),
    "results_in": ("Results in {folder}", "結果存於 {folder}"),
    "judge_aims": ("What was aimed at, and what was reached", "目標與結果"),
    "judge_summary": ("Patterns: series near enough to the record", "各模式：與公佈值足夠接近的序列"),
    "judge_patterns": (
        "Published against simulated (mean of the best vector); bands of 90 percent, chance and parameters apart",
        "公佈值與模擬值對照（最佳參數之均值）；90%區間，隨機性與參數不確定性分列",
    ),
    "judge_backtests": ("Forecasts against benchmarks", "預測與基準方法對照"),
    "judge_coverage": ("Published series within bands of 90 percent", "落入90%區間的公佈序列"),
    "spread_levels": (
        "Bands of 90 percent: {vectors} fitted vectors under one luck, the best vector under {lucks} lucks",
        "90%區間：同一隨機種子下的{vectors}組擬合參數；最佳參數下的{lucks}個隨機種子",
    ),
    "spread_differences": (
        "Differences from the first scenario, pair by pair: {vectors} fitted vectors, {lucks} lucks",
        "與首個情景之差（逐對）：{vectors}組擬合參數，{lucks}個隨機種子",
    ),
    "assimilate_record": (
        "Published against projected (before it was known; 90 percent)",
        "公佈值與先前預測對照（90%區間）",
    ),
    "assimilate_fan": ("The fan before and after: median and 90 percent", "吸納前後的預測區間：中位數與90%區間"),
    "assimilate_members": (
        "{effective} effective of {all} vectors are left; the fan of the rate in the last year is {narrowing} percent "
        "narrower.",
        "{all}組參數中有效者剩{effective}組；末年城鎮化率區間收窄{narrowing}%。",
    ),
    "assimilate_members_wide": (
        "{effective} effective of {all} vectors are left; the fan of the rate in the last year is no narrower.",
        "{all}組參數中有效者剩{effective}組；末年城鎮化率區間並未收窄。",
    ),
    "assimilate_outside": (
        "Warning: {count} of {all} published figures lie outside the projected band: the model, the scenario or the "
        "figures should be looked at before the fan is used.",
        "警告：{all}個公佈值中有{count}個落在預測區間之外；使用前應檢查模型、情景或數據。",
    ),
    "assimilate_unweighed": (
        "Residents and rate of a year carry weight; their product, urban residents, would count what was published "
        "again and is only shown ({count} figures).",
        "同年的常住人口與城鎮化率計入權重；城鎮人口為兩者之積，為免重複計算僅作對照（{count}個數據）。",
    ),
    "assimilate_too_few": (
        "Only {effective} of {all} vectors still carry weight. New ones near them: the same command with --more 40.",
        "{all}組參數中僅{effective}組仍有權重。可在其附近補算：同一命令加--more 40。",
    ),
    "monitoring_title": ("{place}: monitoring of {year}", "{place}：{year}年度監測"),
    "monitoring_subtitle": (
        "Yearly monitoring and evaluation as the plan asks for it; made by migrasim {version}",
        "按規劃要求的年度監測評估；由migrasim {version}生成",
    ),
    "monitoring_note": (
        "Projected are the fitted vectors before the figures were known. Targets are goals to measure against; they "
        "were never used as data, and a rate can rise because people leave the countryside for places outside.",
        "預測值取數據公佈之前的擬合參數。目標僅作衡量，從不用作數據；城鎮化率上升也可能只是因為農村人口外流。",
    ),
    "monitoring_scope": (
        "Of the plan's targets this page follows the resident rate alone. Those for industrial clusters stand with the "
        "chains of a run; coverage of services and roads built are set by a scenario and no results "
        "(docs/plan_figures.md).",
        "規劃目標中，本頁只監測常住人口城鎮化率。產業集群目標見運行結果的產業鏈表；公共服務覆蓋與道路建設由情景設定，"
        "不是模擬結果（docs/plan_figures.md）。",
    ),
    "monitoring_headline": ("The year in short", "年度概要"),
    "monitoring_again": ("How to make this page again", "如何重製本頁"),
    "monitoring_targets": ("Targets", "規劃目標"),
    "monitoring_points": ("{points} points", "{points}個百分點"),
    "monitoring_inside": ("inside the band", "區間之內"),
    "monitoring_outside": ("OUTSIDE the band", "區間之外"),
    "monitoring_lead": (
        "Of {count} figures published for {year}, {inside} lie inside the bands projected before.",
        "{year}年公佈的{count}個數據中，{inside}個落在先前預測區間之內。",
    ),
    "monitoring_rate": (
        "Resident rate: {published} published, {projected} projected ({low} to {high}).",
        "常住人口城鎮化率：公佈{published}，先前預測{projected}（{low}至{high}）。",
    ),
    "monitoring_chart": (
        "{place}: resident rate, fan of 90 percent before and after the figures were taken in",
        "{place}：常住人口城鎮化率，吸納數據前後的90%區間",
    ),
    "monitoring_source": (
        "Sources: published figures as given; census 2020; targets of the plan; migrasim",
        "來源：所給公佈數據；2020年普查；規劃目標；migrasim",
    ),
    "judge_checks": ("Checks performed as experiments", "以實驗方式進行的檢驗"),
    "judge_ablations": (
        "What leaving out a part, or running another share of the households, does",
        "去除模型某部分或改變抽樣比例的影響",
    ),
    "fit_evidence": ("What was fitted", "擬合結果"),
    "fit_screening": ("Morris' screening by the emulators of the first wave", "第一輪仿真器的Morris篩選"),
    "fit_vectors": ("Fitted facts: the best and the {count} vectors kept", "擬合參數：最佳值與保留的{count}組"),
    "fitted_best": ("{value} (runs read this one; value is the prior)", "{value}（運行取此值；「取值」為先驗）"),
    "fitted_kept": ("{range} ({count} vectors, {file})", "{range}（{count}組參數，{file}）"),
    "report_in": ("Report in {file}", "報告存於 {file}"),
    "rate_axis": ("share of people, %", "人口比例，%"),
    "people_axis": ("thousand people", "千人"),
    "points_axis": ("percentage points", "百分點"),
    "resident_line": ("resident rate", "常住城鎮化率"),
    "registered_line": ("registered rate", "戶籍城鎮化率"),
    "urban_line": ("urban residents", "城鎮常住人口"),
    "absent_line": ("absent people", "外出人口"),
    "record_line": ("published", "公佈值"),
    "decomposition_axis": ("change of the resident rate", "常住城鎮化率的變化"),
    "source": (
        "Source: migrasim {version}, run {run}, seed {seed}; sixth and seventh census and bulletins. "
        "Parameters of moving are fitted, and roughly.",
        "來源：migrasim {version}，運行 {run}，種子 {seed}；第六、七次人口普查及統計公報。遷移參數經擬合，精度有限。",
    ),
    "sampled": ("sample of {share}", "{share}抽樣"),
    "levers_differ": ("Levers of {scenario} that differ from {reference}", "{scenario}與{reference}取值不同的槓桿"),
    "no_levers_differ": ("{scenario}: no lever differs from {reference}.", "{scenario}：槓桿與{reference}全部相同。"),
    "more_levers": ("and {number} more, in levers.parquet", "另有{number}項，見levers.parquet"),
    "differences": (
        "{scenario} against {reference}, {pairs} pair(s) with the same luck",
        "{scenario}與{reference}之差，{pairs}對運行（隨機數相同）",
    ),
    "from_to": ("{low} to {high}", "{low} 至 {high}"),
    "interval": ("90% interval", "90%區間"),
    "chance": ("Higher in how many pairs", "較高的對數"),
    "chance_pairs": (
        "{wins} of {pairs}: {words} ({low} to {high})",
        "{pairs}對中{wins}對：{words}（{low}至{high}）",
    ),
    "surely_higher": ("higher in all", "全部較高"),
    "likely_higher": ("likely higher", "較可能較高"),
    "either": ("either", "難分高低"),
    "likely_lower": ("likely lower", "較可能較低"),
    "surely_lower": ("lower in all", "全部較低"),
    "public_cost_million": ("Public cost, million yuan", "公共成本（百萬元）"),
    "one_pair": (
        "One pair: what luck adds cannot be told. More pairs: --replications.",
        "僅一對運行，無法判斷隨機性的影響；可用 --replications 增加對數。",
    ),
    "reasons_head": (
        "{scenario} against {reference}, luck {seed}: {households} households chose otherwise in {first}-{last}, "
        "{times} times in all; {wished} more times only the wish differed.",
        "{scenario}與{reference}，種子{seed}：{first}-{last}年有{households}戶選擇不同，共{times}戶次；另有{wished}戶次僅意願不同。",
    ),
    "reasons_none": (
        "{scenario} against {reference}: nobody chose otherwise.",
        "{scenario}與{reference}：無人選擇不同。",
    ),
    "reasons_why": ("What tipped them", "改變選擇的原因"),
    "reasons_what": ("From what to what, and mostly why", "由何至何，主因為何"),
    "reasons_groups": ("Who chose otherwise, and mostly why", "哪些家庭選擇不同，主因為何"),
    "reason": ("Reason", "原因"),
    "from": ("Instead of", "原選擇"),
    "to": ("They choose", "現選擇"),
    "households": ("Households", "戶"),
    "times": ("Times", "戶次"),
    "share": ("Share %", "比重 %"),
    "to_town": ("into town", "進城鎮"),
    "from_town": ("away from town", "不再進城鎮"),
    "mostly": ("Mostly because of", "主因"),
    "winners": (
        "Who gains and who loses by {year}: {scenario} against {reference}",
        "到{year}年的得失：{scenario}與{reference}",
    ),
    "winners_note": (
        "Welfare: income after rent and living cost per equivalent member, yuan a year. Who gains is more than 1 "
        "percent better off, who loses more than 1 percent worse; the others stay as they are. Households that are in "
        "both runs with the same members, but for students who live by themselves.",
        "福利：扣除房租與生活成本後的等值人均收入（元/年）。增加1%以上為獲益，減少1%以上為受損，其餘不變。"
        "僅計兩次運行中都存在且成員相同的家庭，獨自居住的學生不計。",
    ),
    "gainers": ("Gain", "獲益戶"),
    "losers": ("Lose", "受損戶"),
    "mean_gain": ("Mean gain", "平均獲益"),
    "mean_loss": ("Mean loss", "平均損失"),
    "welfare_before": ("Welfare, yuan", "福利（元）"),
    "welfare_change": ("Change", "變化"),
    "first_time": ("First time", "首次（戶）"),
    "again": ("Again", "再次（戶次）"),
    "band": (
        "Range over {draws} draws of the assumed values: {assumed} of the {taken} levers taken from the plan",
        "假設取值抽取{draws}次的區間：取自規劃的{taken}項槓桿中有{assumed}項為假設",
    ),
    "band_note": (
        "5, 50 and 95 percent of the draws, each assumed value drawn evenly within its range, the luck the same. "
        "The constants of the model are assumed, too, and stay fixed here.",
        "為抽取結果的5%、50%、95%分位；各假設值在其範圍內均勻抽取，隨機種子相同。模型常數同為假設，此處不變。",
    ),
    "band_outside": (
        " In {years} this run lies outside the range: its ends are those of {draws} draws only, and the ranges of the "
        "assumed values do not lie evenly about the values of the plan.",
        "{years}年本次運行落在區間之外：區間端點僅由{draws}次抽取得出，且假設值的範圍並非以規劃值為中心。",
    ),
    "spread_outside": (
        "In {count} of {all} rows the median lies outside the band of chance beside it: the median is that of the "
        "{vectors} vectors under one luck, the band is of {lucks} runs of the best of them.",
        "{all}行中有{count}行的中位數落在旁邊的隨機性區間之外：中位數取自同一隨機種子下的{vectors}組參數，而區間由其中最佳一組的"
        "{lucks}次運行得出。",
    ),
    "spread_held": (
        "Read these bands as a lower end of what is unknown: in the fit, bands of the same vectors hold {held} of "
        "{all} published figures of 2010 to 2022 (5 to 95 percent; 90 of 100 would be right). They show what the "
        "record leaves open of the parameters, not what the model lacks; see docs/validation.md.",
        "此區間只是未知程度的下限：擬合時同一批參數組的區間（5%至95%）只容納了2010至2022年{all}個公佈值中的{held}個（合理應為九成）。"
        "區間反映史料對參數的未定之處，不反映模型自身的欠缺；見docs/validation.md。",
    ),
    "model_error": (
        "What the model lacks: ranked without the data of a county, its parameters missed that county's rate after "
        "{years} years by {mean} points on average and {most} at most; all counties so forecast came out {whole} "
        "points {too} together. At that pace the rate of {until} would be {half} points {too}, and a county's less "
        "than {county} off in nine of ten cases. No range shown holds this; "
        "differences between scenarios share most of it.",
        "模型自身的欠缺：不看某縣資料而選出的參數，{years}年後該縣的率平均偏差{mean}個百分點，最多{most}個；各縣如此預測，合計{too}{whole}個。"
        "若偏差以同樣速度累積，{until}年的率將{too}{half}個百分點，單個縣的偏差十有九次不超過{county}個。所示區間均未包含這一偏差；"
        "情景之間的差異大多共有此類偏差。",
    ),
    "model_error_short": (
        "Erring as it did between the two censuses, the model would miss the rate of {year} by {points} points",
        "若偏差與兩次普查之間相當，{year}年的率將偏差{points}個百分點",
    ),
    "too_low": ("too low", "偏低"),
    "too_high": ("too high", "偏高"),
    "judge_outside": (
        "In {count} of {all} series the simulated value lies outside the band of parameters beside it: the value is "
        "the mean of {lucks} runs of the best vector with {share}% of the households, the band is of one run of each "
        "of the {vectors} vectors, as the fit made them. A small sample shifts the value, and luck moves the band.",
        "{all}個序列中有{count}個的模擬值落在旁邊的參數區間之外：模擬值為最佳參數以{share}%的家庭運行{lucks}次的均值，"
        "區間則由擬合時{vectors}組參數各一次運行得出。抽樣過小會使模擬值偏移，隨機性也會移動區間。",
    ),
    "one_run": ("this run", "本次運行"),
    "band_sample": (" The draws were run with {share}% of the households.", "區間由{share}%的家庭抽樣運行得出。"),
    "band_moved": (
        " The draws were run with {share}% of the households, and so were the plan's own values: what they differ by "
        "was added to this run.",
        "抽取運行與規劃取值均以{share}%的家庭運行，兩者之差加在本次運行之上。",
    ),
    "band_range": ("range", "區間"),
    "band_low": ("low", "低"),
    "band_median": ("median", "中位"),
    "band_high": ("high", "高"),
    "band_area": ("range over its assumed values", "假設取值的區間"),
}

# why households choose otherwise: terms of utility, then what is no term
REASONS: dict[str, tuple[str, str]] = {
    "income": ("expected income", "預期收入"),
    "distance": ("distance and roads", "距離與道路"),
    "network": ("people from home who live there", "同鄉網絡"),
    "schooling": ("gain from schooling", "學歷回報"),
    "school": ("schools for children", "子女就學"),
    "health": ("health care for elders", "老人醫療"),
    "security": ("allowances and care for elders", "低保與養老"),
    "amenity": ("quality of the place", "居住環境"),
    "barrier": ("barrier of registration", "戶籍門檻"),
    "land": ("security of land", "土地權利保障"),
    "family": ("living apart", "家庭分居"),
    "cost": ("cost of moving", "遷移成本"),
    "home": ("pull of the home village", "家鄉牽引"),
    "staying": ("staying", "留守"),
    "taste": ("taste", "偏好"),
    "social": ("social cost of moving", "社會融入成本"),
    "one_run_only": ("the household exists in one run only", "僅存在於一次運行的家庭"),
    "earlier_change": ("follows from an earlier change, own or of kin", "此前改變（本戶或親屬）的延續"),
    "other_members": ("other members (births, marriages, new households)", "成員不同（生育、婚姻、分戶）"),
    "considers": ("considers moving in one run only", "僅在一次運行中考慮遷移"),
    "out_of_reach": ("out of reach in one run", "在一次運行中不可選"),
    "refused_dwelling": ("no dwelling in one run", "在一次運行中無房可住"),
    "refused_school": ("no school place in one run", "在一次運行中無學位"),
}

# parts of expected income, and in which run the other reasons hold
PARTS: dict[str, tuple[str, str]] = {
    "wage": ("wages", "工資"),
    "work_chance": ("chance of work", "就業機會"),
    "rent": ("rent", "房租"),
    "relief": ("relief of rent", "房租減免"),
    "living": ("cost of living", "生活成本"),
    "earnings": ("own work and transfers", "自身就業與轉移收入"),
    "farm": ("farming", "務農收入"),
    "land_rights": ("land lent, kept or sold", "土地流轉、保留或退出"),
    "collective": ("dividend of the collective", "集體分紅"),
    "registration": ("registered address", "戶籍所在"),
    "other": ("other", "其他"),
    "reference": ("in the reference", "參照情景中"),
    "other_run": ("in the scenario", "本情景中"),
    "news": ("it heard of measures", "聽聞政策"),
}

# where households choose to live, and what is no move
CHOICES: dict[str, tuple[str, str]] = {
    "stay": ("stay", "不遷移"),
    "not_there": ("not there", "不存在"),
    "village": ("village", "村"),
    "town": ("town", "鎮"),
    "seat": ("county seat", "縣城"),
    "core": ("core city", "中心城市"),
    "near": ("near outside", "近處外地"),
    "far": ("far outside", "遠處外地"),
}

# how a household moves, and how a part of it holds its dwelling
FORMS: dict[str, tuple[str, str]] = {
    "stay": ("stay", "不遷移"),
    "worker": ("worker", "勞動力外出"),
    "couple": ("couple", "夫妻外出"),
    "young": ("young member", "年輕成員外出"),
    "school": ("parent with children", "家長陪讀"),
    "whole": ("whole family", "舉家遷移"),
    "return": ("those away return", "在外成員返回"),
    "family": ("those at home", "留守家人遷移"),
}
TENURES: dict[str, tuple[str, str]] = {
    "none": ("no dwelling counted", "不計住房"),
    "self_built": ("self-built", "自建房"),
    "purchased": ("purchased", "購買住房"),
    "market_rent": ("market rent", "市場租房"),
    "public_rent": ("public rental", "公租房"),
    "affordable_rent": ("affordable rental", "保障性租賃住房"),
    "shared_ownership": ("shared ownership", "共有產權住房"),
    "dormitory": ("dormitory", "宿舍"),
    "other": ("other", "其他"),
}
PHRASES_OF_LIFE: dict[str, tuple[str, str]] = {
    "lives": (
        "{year}  lives in {place}{apart}; {members} members; {tenure}; {land} mu; savings {savings} yuan",
        "{year}  居住於{place}{apart}；{members}人；{tenure}；承包地{land}畝；積蓄{savings}元",
    ),
    "apart": (", away: {place}", "，另有成員在{place}"),
    "gone": ("{year}  no longer there", "{year}  該戶已不存在"),
    "considers": (
        "      considers in month {month}; alternatives in utils, best first (all = terms + luck):",
        "      {month}月考慮遷移；各選項以效用計，由高到低（合計＝各項＋隨機項）：",
    ),
    "stands": (
        "      {value} {form} in {place}: {terms}, luck {luck}",
        "      {value} {form}（{place}）：{terms}，隨機項 {luck}",
    ),
    "moves": (
        "      {value} {form} to {place}: {terms}, luck {luck}",
        "      {value} {form}至{place}：{terms}，隨機項 {luck}",
    ),
}

# components of the decomposition; a name that is not here is shown as it is
COMPONENTS: dict[str, tuple[str, str]] = {
    "moves_inside": ("Moves from villages to towns inside, net", "區內由村到鎮遷移（淨）"),
    "departures_rural": ("Departures to outside, rural", "離開本區（鄉村）"),
    "departures_urban": ("Departures to outside, urban", "離開本區（城鎮）"),
    "arrivals_and_returns_rural": ("Returns and arrivals, rural", "返回與遷入（鄉村）"),
    "arrivals_and_returns_urban": ("Returns and arrivals, urban", "返回與遷入（城鎮）"),
    "births_rural": ("Births, rural", "出生（鄉村）"),
    "births_urban": ("Births, urban", "出生（城鎮）"),
    "deaths_rural": ("Deaths, rural", "死亡（鄉村）"),
    "deaths_urban": ("Deaths, urban", "死亡（城鎮）"),
    "relocation": ("Relocation out of danger zones", "避險搬遷"),
    "reclassification": ("Villages that became part of a seat", "村劃入縣城（劃轉）"),
    "other_counties_rural": ("Moves between counties, rural", "縣際遷移（鄉村）"),
    "other_counties_urban": ("Moves between counties, urban", "縣際遷移（城鎮）"),
}


# groups of households; the name of a county is shown as it is
GROUPS: dict[str, tuple[str, str]] = {
    "all": ("all", "全部"),
    "poorest fifth": ("poorest fifth", "收入最低五分之一"),
    "second fifth": ("second fifth", "次低五分之一"),
    "middle fifth": ("middle fifth", "中間五分之一"),
    "fourth fifth": ("fourth fifth", "次高五分之一"),
    "richest fifth": ("richest fifth", "收入最高五分之一"),
    "students by themselves": ("students by themselves", "獨自居住的學生"),
    "primary or none": ("primary or no schooling", "小學及以下"),
    "junior": ("junior secondary", "初中"),
    "senior": ("senior secondary", "高中"),
    "college and more": ("college and more", "大專及以上"),
    "under 35": ("under 35", "35歲以下"),
    "35 to 49": ("35 to 49", "35至49歲"),
    "50 to 59": ("50 to 59", "50至59歲"),
    "60 and more": ("60 and more", "60歲及以上"),
    "registered outside": ("registered outside", "戶籍在外地"),
}

# heads of listings; a word that is not here is shown as it is
WORDS: dict[str, str] = {
    "effect on urban residents": "對城鎮常住人口的影響",
    "effect on the rate, points": "對率的影響（百分點）",
    "implausibility": "不可信度",
    "fitted series inside": "擬合序列在內",
    "sample": "抽樣比例",
    "variant": "變體",
    "kind": "性質",
    "what was compared": "比較內容",
    "needed a year": "每年所需",
    "target": "目標值",
    "difference": "差值",
    "after": "吸納後",
    "before": "吸納前",
    "band": "區間",
    "projected": "先前預測",
    "fitted": "擬合值",
    "fitted, 5 to 95 percent": "擬合值5%至95%",
    "median": "中位數",
    "pattern": "模式",
    "use": "用途",
    "measure": "指標",
    "place": "地點",
    "years": "年份",
    "published": "公佈值",
    "near enough": "容許區間",
    "simulated": "模擬值",
    "chance": "隨機性",
    "parameters": "參數不確定性",
    "verdict": "判定",
    "inside": "在內",
    "share": "比例",
    "rank correlation": "次序相關",
    "test": "檢驗",
    "of": "對象",
    "method": "方法",
    "cases": "個數",
    "mean error": "平均誤差",
    "bias": "偏差",
    "interval score": "區間得分",
    "covered": "覆蓋",
    "binomial interval": "二項區間",
    "aim": "目標",
    "reached": "結果",
    "effect": "效應",
    "varied later": "後續變動",
    "best": "最佳",
    "kept": "保留",
    "scenario": "情景",
    "title": "名稱",
    "what it is": "說明",
    "set to": "取值",
    "rule": "規則",
    "what it says": "內容",
    "formula": "公式",
    "given": "參數",
    "lever": "槓桿",
    "unit": "單位",
    "bounds": "範圍",
    "2020": "2020年值",
    "plan": "規劃值",
    "status": "依據",
    "room": "餘地",
    "built": "已實現",
    "file": "文件",
    "group": "組別",
    "chapter of the plan": "規劃章節",
    "given for the region": "全區取值方式",
    "acts through": "作用途徑",
    "2020, range": "2020年值區間",
    "plan, range": "規劃值區間",
    "cost": "成本",
    "plan says": "規劃原文",
    "note": "備註",
    "fact": "事實",
    "value": "取值",
    "by": "分類",
    "range": "區間",
    "symbol": "符號",
    "role": "角色",
    "source": "來源",
    "read by a rule": "有規則讀取",
    "indicator": "指標",
    "how it is measured": "計量方法",
    "phase": "階段",
    "module": "模塊",
    "what happens": "內容",
    "seconds": "秒",
    "rows": "行數",
    "ns a row": "每行納秒",
    "floor, s": "下限（秒）",
    "item": "項目",
    "number": "數量",
    "complete": "完整度",
    "year": "年份",
    "as in": "取自",
    "future": "未來情形",
    "set in": "設於",
    "central": "中心情形",
    "in it": "本情形",
    "why (all assumed)": "原因（均為假設）",
    "--without": "--without",
    "name": "名稱",
    "what it means": "含義",
    "set or read in": "設定或讀取處",
    "facts": "事實",
    "MB": "MB",
    "count": "數量",
}


def words(english: Iterable[str], lang: Lang) -> list[str]:
    """Heads of a listing in one language."""
    return [_in((word, WORDS[word]), lang) if word in WORDS else word for word in english]


def phrase(key: str, lang: Lang, **values: object) -> str:
    """A phrase in one language, filled."""
    return filled(PHRASES[key], lang, **values)


def filled(pair: tuple[str, str], lang: Lang, /, **values: object) -> str:
    """A phrase, given in English and traditional Chinese, in one language, filled."""
    return _in(pair, lang).format(**values)


def reason(name: str, part: str, lang: Lang) -> str:
    """Title of a reason with its part."""
    title = _in(REASONS[name], lang)
    if not part:
        return title
    return f"{title}{': ' if lang == 'en' else '：'}{_in(PARTS[part], lang)}"


def where(name: str, lang: Lang) -> str:
    """Title of what households choose."""
    return _in(CHOICES[name], lang)


def group(name: str, lang: Lang) -> str:
    """Title of a group of households."""
    return _in(GROUPS[name], lang) if name in GROUPS else name


def component(name: str, lang: Lang) -> str:
    """Title of a component of the decomposition."""
    known = COMPONENTS.get(name)
    return _in(known, lang) if known else name.replace("_", " ")


def _in(pair: tuple[str, str], lang: Lang) -> str:
    return title_in({"en": pair[0], "zh_hant": pair[1]}, lang)
