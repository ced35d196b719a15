"""Jobs by sector and chain, wages, farm incomes, and the meeting of seekers and vacancies."""
